import type { Rule } from '../../api/types.ts';
import { Button } from '../parts/button.tsx';
import { Check, Field, Select } from '../parts/field.tsx';
import type { RuleDraft } from './rule-draft.ts';

interface ExtraFieldsProps {
  readonly draft: RuleDraft;
  /** The rule that is changed. */
  readonly rule: Rule | undefined;
  readonly set: (change: Partial<RuleDraft>) => void;
  readonly problem: (field: string) => string | undefined;
}

const EXTRAS: Readonly<Record<Rule['extras'][number], string>> = {
  EventType: 'which of the five events',
  EventID: 'the same in every attempt',
  Sequence: 'counts the events of a call',
  Timestamp: 'when it happened',
  DurationMs: 'how long the call was',
  RingMs: 'how long it rang',
  SipCode: 'of the final response',
  SipReason: 'of the final response',
  Q850: 'cause',
  Detail: 'what decided the status',
  EndedBy: 'who hung up',
  SubCallID: 'one for each party',
  PreviousCallAPIID: 'of a call that was merged',
  Correlation: 'how its legs were joined',
  TransferredBy: 'who handed the call over',
  AnsweredBy: 'who answered',
  Synthesised: 'it came by a timer',
};
const EXTRA_NAMES = Object.keys(EXTRAS) as (keyof typeof EXTRAS)[];

const SECRETS = ['auth', 'headers', 'secret'];

/** What most rules need not set. */
export function RuleExtraFields({ draft, rule, set, problem }: ExtraFieldsProps) {
  return (
    <>
      <details class="more-fields">
        <summary>What is sent</summary>
        <div class="more-body">
          <div class="pair">
            {draft.method === 'POST' && (
              <Select
                label="Body"
                value={draft.body}
                options={[
                  { value: 'form', label: 'Form, as VoipNow sends it' },
                  { value: 'json', label: 'JSON' },
                ]}
                onChoose={(body) => set({ body })}
              />
            )}
            <Select
              label="CallFlow"
              value={draft.callFlow}
              options={[
                { value: 'upper', label: 'IN, OUT' },
                { value: 'lower', label: 'in, out' },
              ]}
              onChoose={(callFlow) => set({ callFlow })}
            />
            <Select
              label="CallID"
              value={draft.callId}
              options={[
                { value: 'sip', label: 'The SIP Call-ID' },
                { value: 'epoch', label: 'Seconds.sequence' },
              ]}
              onChoose={(callId) => set({ callId })}
            />
            <Select
              label="Status of an answered call’s Hangup"
              value={draft.answeredHangup}
              options={[
                { value: 'ANSWER', label: 'ANSWER' },
                { value: 'HANGUP', label: 'HANGUP' },
              ]}
              onChoose={(answeredHangup) => set({ answeredHangup })}
            />
          </div>
          <Check
            label="Leave empty parameters out"
            checked={draft.omitEmpty}
            onChange={(omitEmpty) => set({ omitEmpty })}
          />
          <fieldset class="field">
            <legend class="legend">Further parameters</legend>
            <div class="extras">
              {EXTRA_NAMES.map((name) => (
                <Check
                  key={name}
                  label={
                    <>
                      {name} <span class="faint">{EXTRAS[name]}</span>
                    </>
                  }
                  checked={draft.extras.includes(name)}
                  onChange={(isOn) =>
                    set({
                      extras: EXTRA_NAMES.filter((other) => (other === name ? isOn : draft.extras.includes(other))),
                    })
                  }
                />
              ))}
            </div>
          </fieldset>
        </div>
      </details>
      <details class="more-fields" open={SECRETS.some((field) => problem(field)) || undefined}>
        <summary>How the script knows whom it is from</summary>
        <div class="more-body">
          <AuthFields draft={draft} rule={rule} set={set} problem={problem} />
        </div>
      </details>
    </>
  );
}

function AuthFields({ draft, rule, set, problem }: ExtraFieldsProps) {
  const makeSecret = (): void => {
    const bytes = crypto.getRandomValues(new Uint8Array(32));
    set({ secret: `whsec_${btoa(String.fromCharCode(...bytes))}` });
  };
  const own = rule?.headers.filter((name) => name !== 'authorization') ?? [];
  const kept = own.length > 0 ? `Empty keeps ${own.join(', ')}` : 'Name: value, one a line';
  return (
    <>
      <Select
        label="Authentication"
        value={draft.auth}
        options={[
          ...(rule ? [{ value: 'keep' as const, label: 'As it is' }] : []),
          { value: 'none', label: 'None' },
          { value: 'bearer', label: 'Bearer token' },
          { value: 'basic', label: 'User and password' },
        ]}
        onChoose={(auth) => set({ auth })}
      />
      {draft.auth === 'keep' && problem('auth') !== undefined && <p class="error">{problem('auth')}</p>}
      {draft.auth === 'bearer' && (
        <Field label="Token" value={draft.token} isMono error={problem('auth')} onInput={(token) => set({ token })} />
      )}
      {draft.auth === 'basic' && (
        <div class="pair">
          <Field label="User" value={draft.user} error={problem('auth')} onInput={(user) => set({ user })} />
          <Field
            label="Password"
            type="password"
            autocomplete="new-password"
            value={draft.password}
            onInput={(password) => set({ password })}
          />
        </div>
      )}
      <Field
        label="Headers"
        value={draft.headers}
        rows={2}
        isMono
        hint={kept}
        error={problem('headers')}
        onInput={(headers) => set({ headers })}
      />
      {own.length > 0 && (
        <Check
          label="Take the headers away"
          checked={draft.dropHeaders}
          onChange={(dropHeaders) => set({ dropHeaders })}
        />
      )}
      <div class="secret-field">
        <Field
          label="Signing secret"
          value={draft.secret}
          isMono
          placeholder="whsec_…"
          hint={rule?.isSigned ? 'Empty keeps the one there is' : 'Requests are signed by Standard Webhooks'}
          error={problem('secret')}
          onInput={(secret) => set({ secret })}
        />
        <Button onClick={makeSecret}>Make one</Button>
      </div>
      {rule?.isSigned && (
        <Check label="Take the secret away" checked={draft.dropSecret} onChange={(dropSecret) => set({ dropSecret })} />
      )}
    </>
  );
}
