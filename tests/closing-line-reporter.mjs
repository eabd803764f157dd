/** Prints `N passed, N failed` alone on the last line, which is what continuous integration reads. */
export default class ClosingLineReporter {
  onRunComplete(_contexts, results) {
    // A suite that did not even load has failed, though it ran no test.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    console.log(`${results.numPassedTests} passed, ${failed} failed`);
  }
}
