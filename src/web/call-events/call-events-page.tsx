import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Rule, Rules } from '../../api/types.ts';
import { get, request } from '../api-client.ts';
import { Button } from '../parts/button.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { Search } from '../parts/field.tsx';
import { useLoaded } from '../parts/loaded.ts';
import { tell } from '../parts/notices.tsx';
import { Empty, Failure, Page, Panel } from '../parts/panel.tsx';
import { place, setQuery } from '../router.ts';
import { canWrite, session } from '../session.ts';
import { listen } from '../stream.ts';
import { RuleDialog } from './rule-dialog.tsx';
import { RuleTable } from './rule-table.tsx';
import { TestDialog } from './test-dialog.tsx';
import '../calls/calls.css';
import './rules.css';

// Last results change with every delivery; they are read again, but not more often.
const RELOAD_MS = 2000;

type Open =
  { readonly kind: 'add' } | { readonly kind: 'edit' | 'copy' | 'test' | 'remove'; readonly rule: Rule } | undefined;

/** Which events of which extensions go where. */
export function CallEventsPage() {
  const { value, error, reload } = useLoaded('rules', () => get<Rules>('/rules'));
  const open = useSignal<Open>(undefined);
  const text = place.value.query.get('find') ?? '';
  useEffect(() => followResults(reload), []);
  const close = (): void => void (open.value = undefined);
  const toggle = async (rule: Rule): Promise<void> => {
    await request('PATCH', `/rules/${rule.id}`, { enabled: rule.isGone || !rule.enabled });
    reload();
  };
  const rules = (value?.rules ?? []).filter((rule) => mentions(rule, text.trim().toLowerCase()));
  const add = canWrite() && (
    <Button icon="add" kind="primary" onClick={() => (open.value = { kind: 'add' })}>
      Add a rule
    </Button>
  );
  return (
    <Page
      title="Call events"
      tools={
        <>
          {value && (value.rules.length > 5 || text !== '') && (
            <Search label="Extension, URL or note" value={text} onInput={(find) => setQuery({ find })} />
          )}
          {add}
        </>
      }
    >
      <p class="soft lead">Each rule calls a script when something happens to an extension.</p>
      {!value && error && <Failure error={error} onRetry={reload} />}
      {value && (
        <Panel isFlush>
          {rules.length > 0 ? (
            <RuleTable
              rules={rules}
              marked={place.value.query.get('rule')}
              onToggle={toggle}
              onAct={(kind, rule) => (open.value = { kind, rule })}
            />
          ) : (
            <Empty title={value.rules.length > 0 ? 'No rule fits' : 'There is no rule yet'} />
          )}
        </Panel>
      )}
      <OpenDialog open={open.value} onClose={close} onDone={reload} />
    </Page>
  );
}

function followResults(reload: () => void): () => void {
  let timer: number | undefined;
  const stop = listen(({ event }) => {
    if (event === 'rules') reload();
    if (event !== 'delivery') return;
    timer ??= window.setTimeout(() => {
      timer = undefined;
      reload();
    }, RELOAD_MS);
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}

const mentions = ({ extensions, url, note }: Rule, wanted: string): boolean =>
  [...extensions, url, note].some((text) => text.toLowerCase().includes(wanted));

interface OpenDialogProps {
  readonly open: Open;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

function OpenDialog({ open, onClose, onDone }: OpenDialogProps) {
  if (open === undefined) return null;
  const done = (): void => {
    onClose();
    onDone();
  };
  const extension = session.value?.extension ?? undefined;
  if (open.kind === 'add') return <RuleDialog own={extension} onClose={onClose} onDone={done} />;
  const { kind, rule } = open;
  if (kind === 'edit' || kind === 'copy') {
    return <RuleDialog rule={rule} isCopy={kind === 'copy'} own={extension} onClose={onClose} onDone={done} />;
  }
  if (kind === 'test') return <TestDialog rule={rule} onClose={onClose} />;
  return (
    <Confirm
      title="Delete this rule?"
      text={`${rule.method} ${rule.url} is no longer called. What was sent stays in the deliveries.`}
      action="Delete"
      isDangerous
      onConfirm={async () => {
        await request('DELETE', `/rules/${rule.id}`);
        tell('The rule is deleted.');
        onDone();
      }}
      onClose={onClose}
    />
  );
}
