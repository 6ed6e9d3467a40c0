/** Which items of a long list are in view, and where. */
export interface ListWindow {
  readonly first: number;
  /** Behind the last. */
  readonly end: number;
  /** Height of what lies above the first. */
  readonly above: number;
  /** Of the whole list. */
  readonly height: number;
}

/** The items between `top` and `bottom`, in pixels from the top of the list. */
export function findWindow(heights: readonly number[], top: number, bottom: number): ListWindow {
  let height = 0;
  let above = 0;
  let first = -1;
  let end = 0;
  for (const [index, own] of heights.entries()) {
    const isInView = height + own > top && height < bottom;
    if (isInView && first < 0) {
      first = index;
      above = height;
    }
    if (isInView) end = index + 1;
    height += own;
  }
  return first < 0 ? { first: 0, end: 0, above: 0, height } : { first, end, above, height };
}
