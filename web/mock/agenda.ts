/** What is to happen when: a heap of acts, earliest first; acts of one moment in the order in which they were planned. */
export class Agenda {
  readonly #acts: Planned[] = [];
  #planned = 0;

  plan(at: number, act: () => void): void {
    this.#acts.push({ at, order: this.#planned++, act });
    this.#up(this.#acts.length - 1);
  }

  /** The next act that is due at `now`, taken out. */
  due(now: number): Planned | undefined {
    const first = this.#acts[0];
    if (!first || first.at > now) return undefined;
    const last = this.#acts.pop();
    if (last && this.#acts.length > 0) {
      this.#acts[0] = last;
      this.#down(0);
    }
    return first;
  }

  #up(start: number): void {
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#swapIfLater(parent, index)) return;
      index = parent;
    }
  }

  #down(start: number): void {
    let index = start;
    for (;;) {
      const [left, right] = [2 * index + 1, 2 * index + 2];
      const least = this.#isLater(left, right) ? right : left;
      if (!this.#swapIfLater(index, least)) return;
      index = least;
    }
  }

  #swapIfLater(parent: number, child: number): boolean {
    const [a, b] = [this.#acts[parent], this.#acts[child]];
    if (!a || !b || !this.#isLater(parent, child)) return false;
    this.#acts[parent] = b;
    this.#acts[child] = a;
    return true;
  }

  #isLater(one: number, other: number): boolean {
    const [a, b] = [this.#acts[one], this.#acts[other]];
    if (!a || !b) return false;
    return a.at === b.at ? a.order > b.order : a.at > b.at;
  }
}

export type Planned = { at: number; order: number; act: () => void };
