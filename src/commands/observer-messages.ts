/** What a thread that observes SIP tells. A `batch` may be empty: then it tells that nothing was observed up to that time. */
export type FromObserver =
  | { readonly kind: 'started'; readonly addresses: readonly string[] }
  | { readonly kind: 'refused'; readonly text: string }
  | { readonly kind: 'batch'; readonly memory: SharedArrayBuffer; readonly length: number; readonly until: number }
  | { readonly kind: 'drops'; readonly drops: ReadonlyMap<string, number> }
  | { readonly kind: 'log'; readonly level: 'info' | 'warn'; readonly text: string; readonly about: object }
  | { readonly kind: 'stopped' };
