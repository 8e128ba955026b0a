/** `[data-shares-view]`: a link to the sharing page that takes along what the map shows at this moment. */

export function wireSharing(): void {
  document.addEventListener(
    "click",
    (event) => {
      const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>("a[data-shares-view]") : null;
      if (link) link.search = location.hash.length > 1 ? `?start=${encodeURIComponent(location.hash.slice(1))}` : "";
    },
    { capture: true },
  );
}
