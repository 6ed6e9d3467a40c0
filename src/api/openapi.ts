import { z } from 'zod';
import { call, calls, ladder, ladderEvent, lane, leg, message, party, requeued } from './resources/call.ts';
import { parameters, problem } from './resources/common.ts';
import { attempt, deliveries, delivery, deliveryDetail } from './resources/delivery.ts';
import { health, overview, registration, registrations, script } from './resources/overview.ts';
import { newRule, rule, ruleChange, rules, testResult } from './resources/rule.ts';
import { session, signInMethods } from './resources/session.ts';
import { streamMessages } from './resources/stream.ts';
import type { RouteConfig, RouteSchema } from './routes/route.ts';
import type { App } from './zod-types.ts';

/** Schemas that the document names. */
const NAMED: { readonly [name: string]: z.ZodType } = {
  Attempt: attempt,
  Call: call,
  Calls: calls,
  Deliveries: deliveries,
  Delivery: delivery,
  DeliveryDetail: deliveryDetail,
  Health: health,
  Ladder: ladder,
  LadderEvent: ladderEvent,
  Lane: lane,
  Leg: leg,
  Message: message,
  NewRule: newRule,
  Overview: overview,
  Parameters: parameters,
  Party: party,
  Problem: problem,
  Registration: registration,
  Registrations: registrations,
  Requeued: requeued,
  Rule: rule,
  RuleChange: ruleChange,
  Rules: rules,
  Script: script,
  Session: session,
  SignInMethods: signInMethods,
  TestResult: testResult,
  StreamStart: streamMessages.start,
  StreamCalls: streamMessages.calls,
  StreamEvent: streamMessages.event,
  StreamRules: streamMessages.rules,
  StreamCounts: streamMessages.counts,
};

/** Those of requests are described as they come in, those of replies as they go out. */
const INPUTS: readonly string[] = ['NewRule', 'RuleChange'];

interface SeenRoute {
  readonly method: string;
  readonly url: string;
  readonly schema: RouteSchema;
  readonly config: RouteConfig;
}

/** Collects the routes of an app from here on, and gives the OpenAPI document of them. */
export function describeRoutes(app: App, version: string): () => object {
  const routes: SeenRoute[] = [];
  app.addHook('onRoute', ({ method, url, schema = {}, config = {} }) => {
    for (const one of [method].flat()) {
      if (one !== 'HEAD') routes.push({ method: one.toLowerCase(), url, schema: schema as RouteSchema, config });
    }
  });
  let document: object | undefined;
  return () => (document ??= makeDocument(routes, version));
}

function makeDocument(routes: readonly SeenRoute[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes.filter(({ config }) => config.summary !== undefined)) {
    const path = route.url.replace(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[route.method] = describeRoute(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Ringside',
      version,
      description:
        'Calls, rules and deliveries of Ringside. Times are in UTC; who sees one tenant or extension only gets nothing of others.',
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }, { session: [] }],
    paths,
    components: {
      schemas: describeNamed(),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'ringside-session',
          description: 'With the header X-CSRF-Token for all but GET',
        },
      },
    },
  };
}

function describeNamed(): object {
  const outputs = z.registry<{ id: string }>();
  const inputs = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMED)) (INPUTS.includes(id) ? inputs : outputs).add(schema, { id });
  const uri = (id: string): string => `#/components/schemas/${id}`;
  const options = { uri, unrepresentable: 'any' } as const;
  const described = {
    ...z.toJSONSchema(outputs, { ...options, io: 'output' }).schemas,
    ...z.toJSONSchema(inputs, { ...options, io: 'input' }).schemas,
  };
  for (const schema of Object.values(described)) {
    delete schema.$id;
    delete schema.$schema;
  }
  return described;
}

function describeRoute({ method, schema, config }: SeenRoute): object {
  const { params, querystring, body, response = {} } = schema;
  const replies = Object.entries(response).map(([code, reply]) => [code, describeReply(reply)] as const);
  const fallback: [string, object] =
    config.contentType === undefined
      ? ['204', { description: 'Done' }]
      : ['200', { description: 'Done', content: { [config.contentType]: { schema: { type: 'string' } } } }];
  return {
    summary: config.summary,
    tags: [config.tag],
    ...(config.isOpen && { security: [] }),
    parameters: [...describeParameters(params, 'path'), ...describeParameters(querystring, 'query')],
    ...(body &&
      method !== 'get' && {
        requestBody: { required: !body.safeParse(undefined).success, content: jsonOf(body, 'input') },
      }),
    responses: {
      ...Object.fromEntries(replies.length > 0 ? replies : [fallback]),
      default: describeReply(problem),
    },
  };
}

const describeReply = (schema: z.ZodType): object => ({
  description: schema.description ?? 'Done',
  content: jsonOf(schema, 'output'),
});

const jsonOf = (schema: z.ZodType, io: 'input' | 'output'): object => ({
  'application/json': { schema: refer(schema, io) },
});

function refer(schema: z.ZodType, io: 'input' | 'output'): object {
  const named = Object.entries(NAMED).find(([, known]) => known === schema);
  return named ? { $ref: `#/components/schemas/${named[0]}` } : describe(schema, io);
}

function describe(schema: z.ZodType, io: 'input' | 'output'): object {
  const described = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  delete described.$schema;
  return described;
}

function describeParameters(schema: z.ZodObject | undefined, place: 'path' | 'query'): object[] {
  return Object.entries(schema?.shape ?? {}).map(([name, own]) => ({
    name,
    in: place,
    required: place === 'path' || !(own as z.ZodType).safeParse(undefined).success,
    schema: describe(own as z.ZodType, 'input'),
  }));
}
