/** Lets others wait for something that is looked at whenever there is progress. */
export class Progress {
  #listeners: (() => void)[] = [];

  tell(): void {
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }

  /** Resolves when the condition holds, or after `timeoutMs`; true if it holds. */
  async until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
      this.tell();
    }, timeoutMs);
    while (!condition() && !isOver) await new Promise<void>((done) => this.#listeners.push(done));
    clearTimeout(timer);
    return condition();
  }
}
