import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { trace } from '@opentelemetry/api';
import { conversation, startConversation, step } from '@convotel/tracing';
import { msOf, recordSpans } from '../support/span-recorder.ts';
import { stopwatch } from '../support/stopwatch.ts';
import { waitUntil } from '../support/wait-until.ts';

const recorder = recordSpans();
beforeEach(() => recorder.forget());

const durationMs = (name: string): number => msOf(recorder.only(name).duration);
const outcomesOf = (name: string): unknown[] =>
  recorder.named(name).map((span) => span.attributes['conversation.outcome']);

/** As the promises of openai and anthropic are: the base is resolved at once, and each door starts from `parse`. */
class ApiPromise<Value> extends Promise<Value> {
  readonly #response: Promise<Value>;
  parses = 0;

  constructor(response: Promise<Value>) {
    super((resolve) => resolve(undefined as Value));
    this.#response = response;
  }

  parse(): Promise<Value> {
    this.parses += 1;
    return this.#response.then(async (value) => value);
  }

  asResponse(): Promise<{ status: number }> {
    return this.#response.then(() => ({ status: 200 }));
  }

  async withResponse(): Promise<{ data: Value; status: number }> {
    const [data, { status }] = await Promise.all([this.parse(), this.asResponse()]);
    return { data, status };
  }

  // oxlint-disable-next-line unicorn/no-thenable -- what clients' promises are
  override then<First = Value, Second = never>(
    onValue?: ((value: Value) => First | PromiseLike<First>) | null,
    onError?: ((error: unknown) => Second | PromiseLike<Second>) | null,
  ): Promise<First | Second> {
    return this.parse().then(onValue, onError);
  }

  override catch<Second = never>(
    onError?: ((error: unknown) => Second | PromiseLike<Second>) | null,
  ): Promise<Value | Second> {
    return this.parse().catch(onError);
  }

  override finally(onSettled?: (() => void) | null): Promise<Value> {
    return this.parse().finally(onSettled);
  }
}

const later = async <Value>(value: Value): Promise<Value> => {
  stopwatch.start();
  await sleep(30);
  stopwatch.lap();
  return value;
};
const laterError = async (): Promise<string> => {
  await sleep(30);
  throw new Error('busy');
};

describe('each door of a promise that has its own', () => {
  const doors: Record<string, (promise: ApiPromise<string>) => Promise<unknown>> = {
    await: async (promise) => promise,
    'then with a value handler': (promise) => promise.then((value) => value),
    'then without a handler': (promise) => promise.then(),
    catch: (promise) => promise.catch(() => 'caught'),
    finally: (promise) => promise.finally(() => {}),
    withResponse: async (promise) => (await promise.withResponse()).data,
    asResponse: async (promise) => (await promise.asResponse()).status,
    'Promise.all': async (promise) => (await Promise.all([promise, sleep(1)]))[0],
    'two of them': async (promise) => (await Promise.all([promise.then((value) => value), promise.asResponse()]))[0],
  };

  test.each(Object.entries(doors))('%s leaves one span of the whole length', async (_door, use) => {
    await conversation(async (c) => {
      let promise: ApiPromise<string> | undefined;
      const returned = c.step('gpt', () => (promise = new ApiPromise(later('hello'))));
      expect(returned).toBe(promise);
      expect(returned).toBeInstanceOf(ApiPromise);
      expect(['hello', 200]).toContain(await use(returned));
    });
    expect(outcomesOf('gpt')).toEqual(['completed']);
    expect(durationMs('gpt')).toBeGreaterThanOrEqual(stopwatch.workedMs);
  });

  const failing: Record<string, (promise: ApiPromise<string>) => Promise<unknown>> = {
    await: async (promise) => promise,
    'then with a value handler': (promise) => promise.then((value) => value),
    'then with a handler': (promise) => promise.then(undefined, () => 'caught'),
    catch: (promise) => promise.catch(() => 'caught'),
    'catch that throws': (promise) =>
      promise.catch((error: unknown) => {
        throw error;
      }),
    finally: (promise) => promise.finally(() => {}),
    withResponse: (promise) => promise.withResponse(),
  };

  test.each(Object.entries(failing))('%s of a failure leaves one failed span', async (_door, use) => {
    await conversation(async (c) => {
      const outcome = await use(c.step('gpt', () => new ApiPromise(laterError()))).then(
        (value) => value,
        (error: Error) => error.message,
      );
      expect(['caught', 'busy']).toContain(outcome);
    });
    expect(outcomesOf('gpt')).toEqual(['failed']);
    expect(recorder.only('gpt').status.message).toBe('busy');
  });

  test('none is asked by us', async () => {
    const promise = new ApiPromise(later('hello'));
    await conversation(async (c) => {
      void c.step('gpt', () => promise);
      await sleep(5);
    });
    expect(promise.parses).toBe(0);
    expect(outcomesOf('gpt')).toEqual(['interrupted']);
  });

  test('asked after the conversation was over changes nothing', async () => {
    const promise = new ApiPromise(later('hello'));
    await conversation(async (c) => void c.step('gpt', () => promise));
    expect(await promise).toBe('hello');
    expect(outcomesOf('gpt')).toEqual(['interrupted']);
  });

  test('asked while the conversation ends keeps it open', async () => {
    let answer: Promise<unknown> | undefined;
    await conversation(async (c) => {
      answer = c.step('gpt', () => new ApiPromise(later('hello'))).catch(() => {});
    });
    expect(recorder.named('conversation')).toHaveLength(0);
    await answer;
    expect(outcomesOf('gpt')).toEqual(['completed']);
    expect(recorder.named('conversation')).toHaveLength(1);
  });

  test('handlers run where they were given, the work inside the step', async () => {
    let handledIn: string | undefined;
    const lazy = {
      // oxlint-disable-next-line unicorn/no-thenable -- what query builders are
      then: async (onValue: (value: string) => unknown) => {
        step('inner', () => 1);
        await sleep(2);
        return onValue('rows');
      },
    };
    await conversation(async (c) => {
      await c
        .step('memory', () => lazy)
        .then(() => {
          handledIn = trace.getActiveSpan()?.spanContext().spanId;
          step('tts', () => 'spoken');
        });
    });
    const root = recorder.only('conversation').spanContext().spanId;
    expect(handledIn).toBe(root);
    expect(recorder.only('inner').parentSpanContext?.spanId).toBe(recorder.only('memory').spanContext().spanId);
    expect(recorder.only('tts').parentSpanContext?.spanId).toBe(root);
  });
});

describe('a subclass of Promise that is under way', () => {
  class Task<Value> extends Promise<Value> {
    cancelled = false;
    cancel(): void {
      this.cancelled = true;
    }
  }
  const task = (): Task<string> =>
    new Task((resolve) => {
      stopwatch.start();
      setTimeout(() => {
        stopwatch.lap();
        resolve('done');
      }, 30);
    });

  test('is over when it settles, whenever it is asked', async () => {
    await conversation(async (c) => {
      const returned = c.step('gpt', task);
      await waitUntil(() => recorder.named('gpt').length === 1, 'the span of what nobody asked');
      expect(await returned).toBe('done');
      returned.cancel();
      expect(returned.cancelled).toBe(true);
    });
    expect(durationMs('gpt')).toBeGreaterThanOrEqual(stopwatch.workedMs);
  });

  test('that nobody asks still ends when it settles', async () => {
    await conversation(async (c) => void c.step('gpt', task));
    expect(recorder.named('gpt')).toHaveLength(0);
    await waitUntil(() => recorder.named('gpt').length === 1, 'the span of what nobody asked');
    expect(outcomesOf('gpt')).toEqual(['completed']);
  });

  test('makes no instance of the subclass of its own', async () => {
    let made = 0;
    class Counted<Value> extends Promise<Value> {
      constructor(run: (resolve: (value: Value) => void, reject: (error: unknown) => void) => void) {
        super(run);
        made += 1;
      }
    }
    await conversation(async (c) => {
      const counted = c.step('gpt', () => new Counted<number>((resolve) => resolve(1)));
      expect(made).toBe(1);
      expect(Object.hasOwn(counted, 'constructor')).toBe(false);
      expect(counted.constructor).toBe(Counted);
      expect(await counted).toBe(1);
    });
  });
});

describe('a promise that is a plain object, as of Prisma', () => {
  const query = () => {
    let runs = 0;
    const run = (): Promise<string> => {
      runs += 1;
      return later('rows');
    };
    const promise = {
      // oxlint-disable-next-line unicorn/no-thenable -- what clients' promises are
      then: (...given: Parameters<Promise<string>['then']>) => run().then(...given),
      catch: (...given: Parameters<Promise<string>['catch']>) => run().catch(...given),
      finally: (...given: Parameters<Promise<string>['finally']>) => run().finally(...given),
      requestTransaction: () => run(),
      [Symbol.toStringTag]: 'PrismaPromise',
      runs: () => runs,
    };
    return promise;
  };

  test.each<[string, (promise: ReturnType<typeof query>) => unknown]>([
    ['await', (promise) => promise],
    ['catch', (promise) => promise.catch(() => {})],
    ['finally', (promise) => promise.finally(() => {})],
    ['its own method', (promise) => promise.requestTransaction()],
  ])('used by %s runs once and leaves one span', async (_door, use) => {
    await conversation(async (c) => {
      const promise = c.step('memory', query);
      expect(promise.runs()).toBe(0);
      expect(await use(promise)).toBe('rows');
      expect(promise.runs()).toBe(1);
    });
    expect(outcomesOf('memory')).toEqual(['completed']);
    expect(durationMs('memory')).toBeGreaterThanOrEqual(stopwatch.workedMs);
  });
});

describe('one object that several steps return', () => {
  class Task<Value> extends Promise<Value> {}

  test.each<[string, () => PromiseLike<string>]>([
    ['a subclass of Promise', () => Task.resolve('done')],
    ['a promise with own doors', () => new ApiPromise(later('done'))],
  ])('%s: each of them ends', async (_kind, make) => {
    await conversation(async (c) => {
      const made = make();
      expect(await c.step('gpt', () => made)).toBe('done');
      expect(await c.step('memory', () => made)).toBe('done');
      expect(await c.step('answer', () => step('search', () => made))).toBe('done');
    });
    for (const name of ['gpt', 'memory', 'answer', 'search']) expect(outcomesOf(name)).toEqual(['completed']);
  });

  test('that failed: each of them failed', async () => {
    await conversation(async (c) => {
      const made = Task.reject(new Error('busy'));
      for (const name of ['gpt', 'memory']) await expect(c.step(name, () => made)).rejects.toThrow('busy');
    });
    for (const name of ['gpt', 'memory']) expect(outcomesOf(name)).toEqual(['failed']);
  });

  test('whose then throws fails the step', async () => {
    const thrown = new Error('no connection');
    const made = {
      // oxlint-disable-next-line unicorn/no-thenable -- what query builders are
      then: () => {
        throw thrown;
      },
    };
    await conversation(async (c) => {
      const returned = c.step('memory', () => made);
      expect(() => returned.then()).toThrow(thrown);
    });
    expect(outcomesOf('memory')).toEqual(['failed']);
  });
});

describe('a query builder', () => {
  class Query {
    readonly conditions: string[] = [];
    runs = 0;

    where(condition: string): this {
      this.conditions.push(condition);
      return this;
    }

    clone(): Query {
      const clone = new Query();
      clone.conditions.push(...this.conditions);
      return clone;
    }

    toString(): string {
      return `select ${this.conditions.join()}`;
    }

    first(): Promise<string> {
      return this.then((rows) => rows[0]!);
    }

    // oxlint-disable-next-line unicorn/no-thenable -- what query builders are
    then<Result>(onValue: (rows: string[]) => Result): Promise<Result> {
      this.runs += 1;
      return later(this.conditions).then(onValue);
    }
  }

  test('asks nothing while it is built', async () => {
    await conversation(async (c) => {
      const query = c.step('memory', () => new Query());
      expect(query.where('a').where('b').toString()).toBe('select a,b');
      await sleep(50);
      expect(recorder.named('memory')).toHaveLength(0);
      expect(query.runs).toBe(0);
      expect(await query).toEqual(['a', 'b']);
      expect(query.runs).toBe(1);
    });
    expect(outcomesOf('memory')).toEqual(['completed']);
    expect(durationMs('memory')).toBeGreaterThanOrEqual(stopwatch.workedMs);
  });

  test('is followed through a copy and through a method that asks', async () => {
    await conversation(async (c) => {
      const query = c.step('memory', () => new Query());
      expect(await query.where('a').clone().where('b')).toEqual(['a', 'b']);
      expect(query.runs).toBe(0);
      expect(await c.step('search', () => new Query().where('x')).first()).toBe('x');
    });
    expect(outcomesOf('memory')).toEqual(['completed']);
    expect(outcomesOf('search')).toEqual(['completed']);
    expect(durationMs('search')).toBeGreaterThanOrEqual(stopwatch.workedMs);
  });

  test('runs twice when it is asked twice, as ever, and leaves one span', async () => {
    await conversation(async (c) => {
      const query = c.step('memory', () => new Query());
      await query;
      await query;
      expect(query.runs).toBe(2);
    });
    expect(recorder.named('memory')).toHaveLength(1);
  });

  test('returned by two steps, one inside the other, ends both', async () => {
    await conversation(async (c) => {
      const query = new Query().where('a');
      await c.step('memory', () => step('search', () => query));
      expect(query.runs).toBe(1);
    });
    expect(outcomesOf('memory')).toEqual(['completed']);
    expect(outcomesOf('search')).toEqual(['completed']);
  });

  test('returned by the callback is waited for by the conversation', async () => {
    const query = new Query();
    const returned = conversation((c) => c.step('memory', () => query));
    expect(returned).toBe(query);
    await sleep(5);
    expect(recorder.spans()).toHaveLength(0);
    await returned;
    expect(outcomesOf('memory')).toEqual(['completed']);
    expect(outcomesOf('conversation')).toEqual(['completed']);
  });
});

describe('what cannot be changed', () => {
  class Speech extends ReadableStream<string> {}
  // oxlint-disable-next-line unicorn/no-thenable -- what query builders are
  const thenable = { then: (done: (value: number) => void) => done(1) };
  const refusing = new Proxy(new ApiPromise(later('hello')), {
    defineProperty: () => false,
    setPrototypeOf: () => false,
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const kinds: Record<string, () => object> = {
    'a frozen thenable': () => Object.freeze(Object.assign({}, thenable)),
    'a frozen promise of a class': () => Object.freeze(new (class extends Promise<number> {})((resolve) => resolve(1))),
    'a Proxy that refuses': () => refusing,
    'a Proxy that throws': () =>
      new Proxy(thenable, {
        defineProperty: () => {
          throw new Error('no');
        },
      }),
    'a thenable by a getter': () =>
      new (class {
        // oxlint-disable-next-line unicorn/no-thenable -- what lazy ones are
        get then() {
          return thenable.then;
        }
      })(),
    'a frozen web stream of a class': () => Object.freeze(new Speech()),
  };

  test.each(Object.entries(kinds))('%s comes back untouched, with one span and one warning', async (kind, make) => {
    await conversation(async (c) => {
      const result = make();
      const keys = Reflect.ownKeys(result);
      expect(c.step(kind, () => result)).toBe(result);
      expect(Reflect.ownKeys(result)).toEqual(keys);
      expect(recorder.named(kind)).toHaveLength(1);
      c.step(kind, () => result);
      await Promise.resolve(result);
    });
    expect(outcomesOf(kind)).toEqual(['completed', 'completed']);
    expect(recorder.warnings.filter((warning) => warning.includes(kind))).toHaveLength(1);
    expect(recorder.warnings[0]).toContain('cannot be modified');
  });

  test('a result that throws when it is looked at goes through', () => {
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('no');
        },
        getPrototypeOf: () => {
          throw new Error('no');
        },
        has: () => {
          throw new Error('no');
        },
      },
    );
    const c = startConversation();
    expect(c.step('gpt', () => hostile)).toBe(hostile);
    c.end();
    expect(outcomesOf('gpt')).toEqual(['completed']);
  });
});
