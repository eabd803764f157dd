type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads environment variables by the rules of the OpenTelemetry specification: an empty value counts as unset, enum
 * values are case-insensitive. Surrounding spaces, and quotes left by an env file, are ignored. For each invalid value,
 * {@link warnings} says what is used instead.
 */
export class VariableReader {
  readonly warnings: string[] = [];
  readonly #variables: Variables;

  constructor(variables: Variables) {
    this.#variables = variables;
  }

  text(name: string): string | undefined {
    const value = this.#variables[name]?.trim();
    const bare = value === undefined ? undefined : withoutQuotes(value);
    return bare === '' ? undefined : bare;
  }

  /** Whether the value is in quotes, as env files and compose files may leave it. */
  isQuoted(name: string): boolean {
    const value = this.#variables[name]?.trim() ?? '';
    return value !== withoutQuotes(value);
  }

  /** The first of `names` that is set, and its value. */
  firstOf(names: readonly string[]): { name: string; value: string } | undefined {
    for (const name of names) {
      const value = this.text(name);
      if (value !== undefined) return { name, value };
    }
    return undefined;
  }

  /** An integer of at least `min`. */
  number(names: readonly string[], fallback: number, min: number, unit = ''): number {
    const found = this.firstOf(names);
    if (found === undefined) return fallback;
    const value = Number(found.value);
    if (Number.isInteger(value) && value >= min) return value;
    this.warnInvalid(found, `${fallback}${unit} is used`, `Write a whole number of at least ${min}.`);
    return fallback;
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.text(name);
    if (value === undefined) return fallback;
    const lower = value.toLowerCase();
    if (lower === 'true' || lower === 'false') return lower === 'true';
    this.warnInvalid({ name, value }, `${fallback} is used`, 'Write true or false.');
    return fallback;
  }

  choice<Choice extends string>(
    names: readonly string[],
    choices: Readonly<Record<string, Choice>>,
    fallback: Choice,
  ): Choice {
    const found = this.firstOf(names);
    if (found === undefined) return fallback;
    const choice = Object.hasOwn(choices, found.value.toLowerCase()) ? choices[found.value.toLowerCase()] : undefined;
    if (choice !== undefined) return choice;
    const written = Object.keys(choices);
    const used =
      written.find((each) => each === fallback) ?? written.find((each) => choices[each] === fallback) ?? fallback;
    this.warnInvalid(found, `${used} is used`, `Write one of ${written.join(', ')}.`);
    return fallback;
  }

  /** Adds a warning about a value that cannot be used. */
  warnInvalid({ name, value }: { name: string; value: string }, instead: string, advice: string): void {
    this.warnings.push(`${name} is ${JSON.stringify(value)}, which cannot be used; ${instead}. ${advice}`);
  }
}

function withoutQuotes(value: string): string {
  const match = /^(["'])(.*)\1$/s.exec(value);
  return match === null ? value : match[2]!.trim();
}
