import { describe, expect, test } from '@jest/globals';
import { ConcurrencyLimiter, SerialQueue } from '@convotel/query/engine';

/** Work that ends when it is told to. */
function startable(): {
  work: () => Promise<void>;
  end: () => void;
  fail: (error: Error) => void;
  isRunning: () => boolean;
} {
  let settle: { resolve: () => void; reject: (error: Error) => void } | undefined;
  return {
    work: () => new Promise((resolve, reject) => (settle = { resolve, reject })),
    end: () => settle!.resolve(),
    fail: (error) => settle!.reject(error),
    isRunning: () => settle !== undefined,
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a concurrency limiter', () => {
  test('runs as many at once as it may, the others in their order', async () => {
    const limiter = new ConcurrencyLimiter(2);
    const jobs = [startable(), startable(), startable(), startable()];
    const results = jobs.map(({ work }) => limiter.run(work));
    await turn();
    expect(jobs.map((job) => job.isRunning())).toEqual([true, true, false, false]);
    jobs[1]!.end();
    await turn();
    expect(jobs.map((job) => job.isRunning())).toEqual([true, true, true, false]);
    jobs[0]!.end();
    jobs[2]!.end();
    await turn();
    jobs[3]!.end();
    await Promise.all(results);
  });

  test('goes on after a failure, which the caller gets', async () => {
    const limiter = new ConcurrencyLimiter(1);
    const job = startable();
    const failed = limiter.run(job.work);
    const next = limiter.run(async () => 'next');
    job.fail(new Error('broken'));
    await expect(failed).rejects.toThrow('broken');
    expect(await next).toBe('next');
  });

  test('says when nothing runs or waits any more', async () => {
    const queue = new SerialQueue();
    await queue.whenIdle();
    const jobs = [startable(), startable()];
    const results = jobs.map(({ work }) => queue.run(work));
    let isIdle = false;
    const idle = queue.whenIdle().then(() => (isIdle = true));
    jobs[0]!.end();
    await turn();
    expect([jobs[1]!.isRunning(), isIdle]).toEqual([true, false]);
    jobs[1]!.end();
    await idle;
    await Promise.all(results);
  });
});
