import type { Logger } from '../log.ts';
import type { Gate } from './access/gate.ts';
import { addCallRoutes, type CallParts } from './routes/call-routes.ts';
import { addDeliveryRoutes } from './routes/delivery-routes.ts';
import { addOverviewRoutes, type OverviewParts } from './routes/overview-routes.ts';
import { addPageRoutes } from './routes/page-routes.ts';
import { addRuleRoutes, type RuleParts } from './routes/rule-routes.ts';
import { addSessionRoutes } from './routes/session-routes.ts';
import { addStreamRoutes, type StreamParts } from './routes/stream-routes.ts';
import { describeRoutes } from './openapi.ts';
import { guard, makeServer, type ServerOptions } from './server.ts';
import { addOauthRoutes } from './unified/oauth-routes.ts';
import { addUnifiedRoutes } from './unified/unified-routes.ts';
import type { App } from './zod-types.ts';

/** All that the API works with. */
export interface ApiParts {
  readonly server: ServerOptions;
  readonly log: Logger;
  /** Who may come in, at present. */
  readonly gate: () => Gate;
  readonly rules: RuleParts;
  readonly calls: CallParts;
  readonly stream: StreamParts;
  readonly overview: OverviewParts;
  /** Where the page was built to. */
  readonly pageFolder: string;
}

/** The HTTP server with all its services: our own API, the UnifiedAPI, the page. It does not listen yet. */
export function makeApi(parts: ApiParts): App {
  const { gate, rules } = parts;
  const app = makeServer(parts.server, parts.log);
  void app.register(
    inPlace((own) => addOwnRoutes(own, parts)),
    { prefix: '/api/v1' },
  );
  for (const prefix of ['/uapi', '/unifiedapi']) {
    void app.register(
      inPlace((unified) => addUnifiedRoutes(unified, gate, rules.desk)),
      { prefix },
    );
  }
  void app.register(inPlace((oauth) => addOauthRoutes(oauth, gate)));
  addPageRoutes(app, parts.pageFolder);
  return app;
}

/** A plugin that is there at once. */
const inPlace =
  (add: (app: App) => void) =>
  (app: App, _: object, done: () => void): void => {
    add(app);
    done();
  };

function addOwnRoutes(app: App, { gate, rules, calls, stream, overview }: ApiParts): void {
  guard(app, gate);
  const document = describeRoutes(app, overview.version);
  addSessionRoutes(app, gate);
  addRuleRoutes(app, rules);
  addCallRoutes(app, calls);
  addDeliveryRoutes(app, rules);
  addOverviewRoutes(app, overview);
  addStreamRoutes(app, stream);
  const config = { isOpen: true, tag: 'overview', summary: 'This document: OpenAPI 3.1' };
  app.get('/openapi.json', { config }, () => document());
}
