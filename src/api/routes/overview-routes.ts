import { formatTime } from '../../calls/time.ts';
import type { Metrics } from '../metrics.ts';
import { health, overview, registrations } from '../resources/overview.ts';
import type { Health, Overview, Registration } from '../types.ts';
import type { App } from '../zod-types.ts';

const tag = 'overview';
const MAX_SHOWN = 1000;

/** How one part does. */
export interface Check {
  readonly name: string;
  readonly status: Health['status'];
  readonly text: string;
}

/** What the routes work with. */
export interface OverviewParts {
  readonly version: string;
  readonly startedAt: number;
  readonly overview: () => Overview;
  readonly checks: () => readonly Check[];
  readonly metrics: Metrics;
  readonly isRegistrar: boolean;
  readonly registrations: () => readonly Registration[];
}

/** How Ringside does. */
export function addOverviewRoutes(app: App, parts: OverviewParts): void {
  app.get(
    '/overview',
    {
      schema: { response: { 200: overview } },
      config: { tag, isOverall: true, summary: 'The last hour, by minutes' },
    },
    () => parts.overview(),
  );
  app.get(
    '/registrations',
    { schema: { response: { 200: registrations } }, config: { tag, summary: 'Where extensions can be reached' } },
    (request) => {
      const { scope } = request.principal!;
      const seen = parts.registrations().filter(({ extension }) => scope.sees(extension));
      return {
        isRegistrar: parts.isRegistrar,
        registrations: seen.slice(0, MAX_SHOWN),
        left: Math.max(0, seen.length - MAX_SHOWN),
      };
    },
  );
  app.get(
    '/health',
    {
      schema: { response: { 200: health, 503: health } },
      config: {
        tag,
        isOpen: true,
        summary: 'Whether all is well: 503 where something fails; details for those who may see them',
      },
    },
    (request, reply) => {
      const checks = parts.checks();
      const status = worstOf(checks);
      void reply.code(status === 'failing' ? 503 : 200);
      const { principal } = request;
      if (!principal?.scope.isAll) return { status };
      return { status, version: parts.version, startedAt: formatTime(parts.startedAt), checks: [...checks] };
    },
  );
  app.get(
    '/metrics',
    {
      config: { tag, isOverall: true, contentType: 'text/plain', summary: 'Metrics, as Prometheus reads them' },
    },
    async (_, reply) => {
      const text = await parts.metrics.read();
      return reply.type(parts.metrics.contentType).send(text);
    },
  );
}

function worstOf(checks: readonly Check[]): Health['status'] {
  const statuses = checks.map(({ status }) => status);
  return (['failing', 'degraded'] as const).find((status) => statuses.includes(status)) ?? 'ok';
}
