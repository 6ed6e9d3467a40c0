/** What a source read and what it had to leave out. */
export class SourceCounts {
  /** Records of a capture, or packets of a live source. */
  packets = 0;
  /** SIP messages handed over. */
  messages = 0;
  /** Packets that carry something else. */
  otherTraffic = 0;
  /** What could not be used, by reason. */
  readonly drops = new Map<string, number>();

  drop(reason: string, count = 1): void {
    this.drops.set(reason, (this.drops.get(reason) ?? 0) + count);
  }
}
