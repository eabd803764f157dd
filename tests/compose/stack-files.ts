import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** A service of `docker-compose.yml`, as far as we have rules about it. */
export interface Service {
  image: string;
  /** Without one, it always starts. */
  profiles?: string[];
  entrypoint?: string[];
  command?: string[];
  ports?: string[];
  environment?: Record<string, string>;
  volumes?: string[];
  mem_limit?: string;
  read_only?: boolean;
  security_opt?: string[];
  restart?: string;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
  logging?: { options: Record<string, string> };
}

/** A mount: a path of the repository or a named volume, and where the container sees it. */
export interface Mount {
  source: string;
  target: string;
  isNamedVolume: boolean;
}

/** The repository's folder. */
export const ROOT = new URL('../../', import.meta.url);

/** The text of a file of the repository. */
export function readText(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8');
}

/** Services and named volumes of `docker-compose.yml`. */
export function readCompose(): { services: Record<string, Service>; volumes: Record<string, unknown> } {
  return parse(readText('docker-compose.yml'), { merge: true }) as {
    services: Record<string, Service>;
    volumes: Record<string, unknown>;
  };
}

/** `text` as compose reads it with `environment`: variables have its values, else their defaults. */
export function withDefaults(text: string, environment: Readonly<Record<string, string>> = {}): string {
  return text.replaceAll(
    /\$\{(\w+):-([^}]*)\}/g,
    (_, name: string, byDefault: string) => environment[name] || byDefault,
  );
}

/** What `service` mounts. */
export function mountsOf({ volumes = [] }: Service): Mount[] {
  return volumes
    .map((volume) => withDefaults(volume))
    .map((volume) => {
      const [source, target] = volume.split(':') as [string, string];
      return { source, target, isNamedVolume: !source.startsWith('.') };
    });
}

/** Path in the repository of what the container of `service` sees as `path`; `undefined` when nothing is mounted there. */
export function repositoryPathOf(service: Service, path: string): string | undefined {
  const mount = mountsOf(service).find(({ target, isNamedVolume }) => !isNamedVolume && path.startsWith(`${target}/`));
  return mount === undefined ? undefined : `${mount.source}${path.slice(mount.target.length)}`;
}

/** Bytes of a size such as `512m`, `1g` or `320MiB`. */
export function bytesOf(size: string): number {
  const [, amount, unit] = /^(\d+)([kmg])/i.exec(size)!;
  return Number(amount) * 1024 ** ('kmg'.indexOf(unit!.toLowerCase()) + 1);
}
