/** Measures steps by the program's own clock: from inside the step's function, and from outside of the step. */
export class Stopwatch {
  /** One entry a step: its name, its conversation, and both durations in milliseconds. */
  readings = [];

  /** Runs `work` as the step `name` of `c`. */
  async step(c, name, work) {
    const reading = { id: c.id, name };
    const outsideMs = performance.now();
    const result = await c.step(name, async (step) => {
      const insideMs = performance.now();
      const value = await work(step);
      reading.insideMs = performance.now() - insideMs;
      return value;
    });
    reading.outsideMs = performance.now() - outsideMs;
    this.readings.push(reading);
    return result;
  }
}

/** What a program tells the test when it is done: one line of JSON on standard output. */
export function report(result) {
  return new Promise((resolve) => process.stdout.write(`${JSON.stringify(result)}\n`, resolve));
}
