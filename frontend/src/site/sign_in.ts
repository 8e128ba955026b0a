/** `[data-signs-in]`: a link to the sign-in that leads back here, with what stands behind the "#": no server is sent that. */

export function wireSigningIn(): void {
  document.addEventListener(
    "click",
    (event) => {
      const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>("a[data-signs-in]") : null;
      const { pathname, search, hash } = location;
      if (link) link.search = `?next=${encodeURIComponent(pathname + search + hash)}`;
    },
    { capture: true },
  );
}
