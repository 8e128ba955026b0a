/** `<details class="menu">` closes on Escape and on a press elsewhere, as people expect of a menu, and once a form of it is sent: the answer may be a file. */

export function closeMenus(): void {
  document.addEventListener("click", (event) => {
    for (const menu of openMenus()) if (!(event.target instanceof Node && menu.contains(event.target))) menu.open = false;
  });
  document.addEventListener("submit", () => {
    for (const menu of openMenus()) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of openMenus()) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
      // Escape was meant for the menu, not for what lies below it.
      event.preventDefault();
    }
  });
}

function openMenus(): NodeListOf<HTMLDetailsElement> {
  return document.querySelectorAll<HTMLDetailsElement>("details.menu[open]");
}
