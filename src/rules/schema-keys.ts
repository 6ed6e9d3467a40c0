import { makeJsonSchema } from '../options.ts';
import type { Path } from './yaml-source.ts';

interface Schema {
  readonly properties?: { readonly [key: string]: Schema };
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

let schema: Schema | undefined; // made when the first mistake asks for it

/** Names of the options that may stand at a path. */
export function keysOfSchema(path: Path): string[] {
  const schemas = path.reduce<Schema[]>(
    (here, part) => here.flatMap((schema) => step(schema, part)),
    [(schema ??= makeJsonSchema())],
  );
  return schemas.flatMap(alternatives).flatMap(({ properties }) => Object.keys(properties ?? {}));
}

const alternatives = (schema: Schema): Schema[] => [schema, ...(schema.anyOf ?? []).flatMap(alternatives)];

function step(schema: Schema, part: string | number): Schema[] {
  return alternatives(schema).flatMap(({ properties, items }) => {
    const next = typeof part === 'number' ? items : properties?.[part];
    return next ? [next] : [];
  });
}
