interface RequestTextProps {
  readonly method: string;
  readonly url: string;
  readonly body: string | null;
}

/** A request as it is sent; parameters one a line. */
export function RequestText({ method, url, body }: RequestTextProps) {
  const mark = url.indexOf('?');
  const [address, query] = mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
  const isForm = body !== null && !body.startsWith('{');
  return (
    <div class="request-text">
      <p class="request-line">
        <b>{method}</b> {address}
      </p>
      {query !== '' && <Parameters text={query} />}
      {body !== null && isForm && <Parameters text={body} />}
      {body !== null && !isForm && <Parameters text="" pairs={readJson(body)} />}
    </div>
  );
}

function readJson(body: string): [string, string][] {
  try {
    return Object.entries(JSON.parse(body) as Record<string, unknown>).map(([name, value]) => [name, String(value)]);
  } catch {
    return [['', body]];
  }
}

function Parameters({ text, pairs = [...new URLSearchParams(text)] }: { text: string; pairs?: [string, string][] }) {
  return (
    <dl>
      {pairs.map(([name, value], index) => (
        <div key={index}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
