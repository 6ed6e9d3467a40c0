import type { Rule } from '../../api/types.ts';
import { Button } from '../parts/button.tsx';
import { Icon } from '../parts/icon.tsx';
import { Extension, State, Tag, Url } from '../parts/marks.tsx';
import { Switch } from '../parts/switch.tsx';
import { canWrite } from '../session.ts';
import { formatAgo } from '../time-text.ts';
import { now } from '../clock.ts';
import { DELIVERY_STATES, describeResult, EVENTS } from '../words.ts';

type Act = 'edit' | 'copy' | 'test' | 'remove';

interface RuleTableProps {
  readonly rules: readonly Rule[];
  /** Id of a rule that a link led to. */
  readonly marked: string | null;
  readonly onToggle: (rule: Rule) => Promise<void>;
  readonly onAct: (act: Act, rule: Rule) => void;
}

const nameOf = (extensions: readonly string[]): string => extensions.join(', ');

/** The rules by extension; those for everyone come last. */
export function RuleTable({ rules, marked, onToggle, onAct }: RuleTableProps) {
  const groups = [...Map.groupBy(rules, ({ extensions }) => nameOf(extensions))];
  groups.sort(([a], [b]) => Number(a === '*') - Number(b === '*') || a.localeCompare(b, 'en', { numeric: true }));
  return (
    <table class="table stacks rules">
      <thead>
        <tr>
          <th>Active</th>
          <th>Events</th>
          <th>Script</th>
          <th>Note</th>
          <th>Last result</th>
          <th>
            <span class="unseen">Actions</span>
          </th>
        </tr>
      </thead>
      {groups.map(([name, own]) => (
        <tbody key={name}>
          <tr class="group">
            <th colSpan={6} scope="rowgroup">
              <Extensions extensions={own[0]!.extensions} />
            </th>
          </tr>
          {own.map((rule) => (
            <RuleRow key={rule.id} rule={rule} isMarked={rule.id === marked} onToggle={onToggle} onAct={onAct} />
          ))}
        </tbody>
      ))}
    </table>
  );
}

function Extensions({ extensions }: { extensions: readonly string[] }) {
  if (extensions.includes('*')) return <>All extensions</>;
  return (
    <>
      {extensions.map((number, index) => (
        <span key={number}>
          {index > 0 && ', '}
          <Extension number={number} />
        </span>
      ))}
    </>
  );
}

interface RuleRowProps {
  readonly rule: Rule;
  readonly isMarked: boolean;
  readonly onToggle: (rule: Rule) => Promise<void>;
  readonly onAct: (act: Act, rule: Rule) => void;
}

function RuleRow({ rule, isMarked, onToggle, onAct }: RuleRowProps) {
  const { enabled, events, method, url, note, readOnly } = rule;
  const name = `${method} ${url}`;
  return (
    <tr class={[isMarked && 'marked', (!enabled || rule.isGone) && 'off'].filter(Boolean).join(' ') || undefined}>
      <td>
        <Switch
          label={`Active: ${name}`}
          checked={enabled && !rule.isGone}
          disabled={readOnly || !canWrite()}
          onToggle={() => onToggle(rule)}
        />
      </td>
      <td class="rule-events">
        {events.map((event) => (
          <Tag key={event} tone="accent">
            {EVENTS[event].label}
          </Tag>
        ))}
      </td>
      <td class="script wide">
        <span class="script-call">
          <span class="method">{method}</span>
          <Url text={url} />
          {rule.isSigned && <Tag>signed</Tag>}
        </span>
      </td>
      <td class="soft rule-note">
        {note}
        <FileMark rule={rule} />
      </td>
      <td class="last-result">
        <LastResult rule={rule} />
        {rule.isGone && <Gone rule={rule} />}
      </td>
      <td class="end rule-actions">{canWrite() && <RuleActions rule={rule} onAct={onAct} />}</td>
    </tr>
  );
}

/** Where a rule of the configuration file stands. */
function FileMark({ rule: { file } }: { rule: Rule }) {
  if (!file) return null;
  return (
    <span class="file-mark faint" title="A rule of the configuration file: change it there">
      <Icon name="lock" />
      {file.name}:{file.line}
    </span>
  );
}

function RuleActions({ rule, onAct }: Pick<RuleRowProps, 'rule' | 'onAct'>) {
  const name = `${rule.method} ${rule.url}`;
  return (
    <>
      <Button icon="send" kind="quiet" label={`Send a test event: ${name}`} onClick={() => onAct('test', rule)} />
      <Button icon="copy" kind="quiet" label={`Copy to a new rule: ${name}`} onClick={() => onAct('copy', rule)} />
      {!rule.readOnly && (
        <>
          <Button icon="edit" kind="quiet" label={`Edit: ${name}`} onClick={() => onAct('edit', rule)} />
          <Button icon="remove" kind="quiet" label={`Delete: ${name}`} onClick={() => onAct('remove', rule)} />
        </>
      )}
    </>
  );
}

/** Why a rule tells nothing although nobody turned it off, and what to do about it. */
function Gone({ rule: { source } }: { rule: Rule }) {
  return (
    <span class="gone soft">
      Off: its script answered 410 Gone.{' '}
      {source === 'api'
        ? 'Turn it on to try again.'
        : 'Save the configuration file anew, or send SIGHUP, to try again.'}
    </span>
  );
}

function LastResult({ rule: { id, last } }: { rule: Rule }) {
  if (!last) return <span class="faint">not called yet</span>;
  const { label, tone } = DELIVERY_STATES[last.state];
  const isGood = last.state === 'delivered' && last.error === '';
  return (
    <a class="result" href={`/deliveries?rule=${id}&id=${last.delivery}`}>
      <State tone={tone}>{label}</State>
      <span class="faint cut">
        {isGood ? last.status : describeResult(last)} · {formatAgo(now.value - Date.parse(last.at))}
      </span>
    </a>
  );
}
