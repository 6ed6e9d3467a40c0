import { signal } from '@preact/signals';

/** Where the page is: path and query of the address. */
export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

const read = (): Place => ({ path: location.pathname, query: new URLSearchParams(location.search) });

export const place = signal<Place>(read());

/** Goes to another page; `replace` leaves no step behind in the browser's history. */
export function go(to: string, { replace = false } = {}): void {
  const { origin } = location;
  const target = new URL(to, origin);
  if (target.origin !== origin || target.href === location.href) return;
  const isOtherPage = target.pathname !== location.pathname;
  history[replace ? 'replaceState' : 'pushState'](null, '', target);
  place.value = read();
  if (isOtherPage) scrollTo(0, 0);
}

/** Changes the query and stays on the page. */
export function setQuery(values: Readonly<Record<string, string>>): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value === '') query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  go(`${location.pathname}${text === '' ? '' : `?${text}`}`, { replace: true });
}

/** Links of the page change the address without loading it anew. */
export function followLinks(): void {
  addEventListener('popstate', () => (place.value = read()));
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !isPlain || event.defaultPrevented || link.target !== '' || link.hasAttribute('download')) return;
    const target = new URL(link.href);
    if (target.origin !== location.origin || target.pathname.startsWith('/api/') || link.hash !== '') return;
    event.preventDefault();
    go(link.href);
  });
}
