import type { z } from 'zod';

declare module 'fastify' {
  /** What is said of a route besides its schemas. */
  interface FastifyContextConfig {
    /** For the OpenAPI document. */
    readonly summary?: string;
    readonly tag?: string;
    /** Nobody has to say who he is. */
    readonly isOpen?: boolean;
    /** Whoever has the role extension is refused. */
    readonly isOperatorsOnly?: boolean;
    /** Whoever sees one tenant only is refused, too. */
    readonly isOverall?: boolean;
    /** Although no GET, it changes nothing that only some may change. */
    readonly isHarmless?: boolean;
    /** What it answers with, where that is no JSON. */
    readonly contentType?: string;
  }
}

/** Zod schemas of a route. */
export interface RouteSchema {
  readonly params?: z.ZodObject;
  readonly querystring?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly response?: { readonly [status: string]: z.ZodType };
}

export type { FastifyContextConfig as RouteConfig } from 'fastify';
