// How long media may pause before it counts as gone. A master that is killed says nothing, and
// a browser takes its time to notice; but a master may also have nothing to send for a while.

const PAUSE_MS = 1500;
const LONGEST_MS = 24_000;

export class Patience {
  constructor() {
    this.milliseconds = PAUSE_MS;
    this.master = null;
    this.lost = false;
  }

  lose() {
    this.lost = true;
  }

  // Call with each answer. The master that was given up, known by its certificate, answers
  // again: it had only paused, and may pause for twice as long from now on.
  meet(sdp) {
    const master = /^a=fingerprint:(.*)$/m.exec(sdp)?.[1] ?? null;
    if (master !== this.master) this.milliseconds = PAUSE_MS;
    else if (this.lost) this.milliseconds = Math.min(2 * this.milliseconds, LONGEST_MS);
    this.master = master;
    this.lost = false;
  }
}
