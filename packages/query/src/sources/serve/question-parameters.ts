import { QuestionFormatError } from './question.ts';

/** The query parameters of one question, each read once; what nobody reads is refused at the end. */
export class QuestionParameters {
  readonly #query: URLSearchParams;
  readonly #read = new Set<string>();

  constructor(query: URLSearchParams) {
    this.#query = query;
  }

  /** All values of `name`, as `read` understands them. */
  all<Value>(name: string, read: (text: string) => Value): Value[] {
    this.#read.add(name);
    return this.#query.getAll(name).map((text) => {
      try {
        return read(text);
      } catch (error) {
        throw new QuestionFormatError(`parameter ${name}: ${(error as Error).message}`, { cause: error });
      }
    });
  }

  /** The value of `name`; undefined where it is not given. */
  find<Value>(name: string, read: (text: string) => Value): Value | undefined {
    const values = this.all(name, read);
    if (values.length > 1) throw new QuestionFormatError(`parameter ${name} is given ${values.length} times`);
    return values[0];
  }

  /** The value of `name`, which must be given. */
  get<Value>(name: string, read: (text: string) => Value): Value {
    const value = this.find(name, read);
    if (value === undefined) throw new QuestionFormatError(`parameter ${name} is missing`);
    return value;
  }

  /** @throws {@link QuestionFormatError} when a parameter has been given that nobody read. */
  refuseUnread(): void {
    for (const name of this.#query.keys()) {
      if (!this.#read.has(name)) throw new QuestionFormatError(`parameter ${name} is unknown here`);
    }
  }
}
