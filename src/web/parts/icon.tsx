import './icon.css';

// Lines on a field of 20 × 20.
const PATHS = {
  overview: 'M3 16.5h14M5 13V9m5 4V4m5 9V7',
  calls:
    'M4.2 3.5h2.4l1.3 3.4-1.7 1.2a9.5 9.5 0 0 0 5.7 5.7l1.2-1.7 3.4 1.3v2.4c0 .7-.6 1.2-1.3 1.2C8.9 16.6 3.4 11.1 3 4.8c0-.7.5-1.3 1.2-1.3Z',
  rules: 'M11 2.5 4.5 11.5H10L9 17.5l6.5-9H10l1-6Z',
  deliveries: 'M2.5 10 17.5 3.5 13 17l-3.5-5.5L2.5 10Zm7 1.5 4-4.5',
  sun: 'M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7ZM10 2v1.5m0 13V18m8-8h-1.5m-13 0H2m13.7-5.7-1.1 1.1M5.4 14.6l-1.1 1.1m11.4 0-1.1-1.1M5.4 5.4 4.3 4.3',
  moon: 'M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3Z',
  system: 'M3 4.5h14v9H3zM7.5 17h5M10 13.5V17',
  add: 'M10 4v12M4 10h12',
  close: 'm5 5 10 10M15 5 5 15',
  edit: 'm4 16 .8-3.3 8.5-8.5 2.5 2.5-8.5 8.5L4 16Z',
  remove: 'M4 6h12M8 6V4h4v2m2.5 0-.6 10H6.1L5.5 6m3 3v4.5m3-4.5v4.5',
  send: 'M3.5 10h12m-5-5 5 5-5 5',
  retry: 'M15.5 8A6 6 0 1 0 16 11.5M16 4v4h-4',
  lock: 'M5.5 9h9v7.5h-9zM7.5 9V6.5a2.5 2.5 0 0 1 5 0V9',
  search: 'M9 3.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11Zm4 9.5 3.5 3.5',
  back: 'm12 4.5-5.5 5.5 5.5 5.5',
  leave: 'M8 3.5H4v13h4m4-10 3.5 3.5-3.5 3.5M7.5 10h8',
  out: 'M6 14 14 6m-6 0h6v6',
  in: 'M14 6 6 14m0-6v6h6',
  transfer: 'M3.5 7h11m-3-3 3 3-3 3M16.5 13h-11m3-3-3 3 3 3',
  copy: 'M7 7h9v9.5H7zM13 7V3.5H4V13h3',
  check: 'm4 10.5 4 4 8-9',
} as const;

export type IconName = keyof typeof PATHS;

/** Says nothing by itself: the text beside it, or the label of its button, does. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
