import { readFileSync } from 'node:fs';

const textByName = new Map<string, string>();

/** The text of `sql/<name>.sql`; read once. */
export function sqlFile(name: string): string {
  let text = textByName.get(name);
  if (text === undefined) {
    text = readFileSync(new URL(`../../sql/${name}.sql`, import.meta.url), 'utf8');
    textByName.set(name, text);
  }
  return text;
}
