import { useSignal } from '@preact/signals';
import type { EventName, Rule } from '../../api/types.ts';
import { ApiError, request } from '../api-client.ts';
import { Button } from '../parts/button.tsx';
import { Choice } from '../parts/choice.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Check, Field } from '../parts/field.tsx';
import { tell } from '../parts/notices.tsx';
import { EVENT_NAMES, EVENTS } from '../words.ts';
import { changeOf, draftOf, emptyDraft, newRuleOf, problemAt, type RuleDraft } from './rule-draft.ts';
import { RuleExtraFields } from './rule-extra-fields.tsx';

interface RuleDialogProps {
  /** To be changed, or copied; none: a new one. */
  readonly rule?: Rule;
  readonly isCopy?: boolean;
  /** The only extension that the user may write rules for. */
  readonly own: string | undefined;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

const titleOf = (isEdit: boolean, isCopy: boolean): string =>
  isEdit ? 'Edit the rule' : isCopy ? 'New rule like this one' : 'New rule';

const FIELDS = ['extensions', 'events', 'url', 'note', 'auth', 'headers', 'secret'];

/** What is wrong, where it is not told at its field. */
function describe({ message, problems }: ApiError): string {
  const told = FIELDS.flatMap((field) => problemAt(problems, field) ?? []);
  return told.length > 0 && told.length >= problems.length ? 'Some fields need another look.' : message;
}

/** Adds, copies or changes a rule. */
export function RuleDialog({ rule, isCopy = false, own, onClose, onDone }: RuleDialogProps) {
  const before = rule ? draftOf(rule) : emptyDraft(own ?? '');
  const draft = useSignal<RuleDraft>(
    isCopy ? { ...before, auth: 'none', extensions: own ?? before.extensions } : before,
  );
  const failure = useSignal<ApiError | undefined>(undefined);
  const isEdit = rule !== undefined && !isCopy;
  const set = (change: Partial<RuleDraft>): void => void (draft.value = { ...draft.value, ...change });
  const problem = (field: string): string | undefined => problemAt(failure.value?.problems ?? [], field);
  const submit = async (): Promise<void> => {
    failure.value = undefined;
    try {
      if (isEdit) await request('PATCH', `/rules/${rule.id}`, changeOf(draft.value, before));
      else await request('POST', '/rules', newRuleOf(draft.value));
      tell(isEdit ? 'The rule is changed.' : 'The rule is in force.');
      onDone();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      failure.value = error;
    }
  };
  return (
    <Dialog title={titleOf(isEdit, isCopy)} isWide onClose={onClose}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <div class="dialog-body">
          {own === undefined && (
            <Field
              label="Extensions"
              value={draft.value.extensions}
              placeholder="0003*101"
              isMono
              isFirst
              hint="One or several, ranges (0003*110-119), patterns (0003*1??), or * for all"
              error={problem('extensions')}
              onInput={(extensions) => set({ extensions })}
            />
          )}
          <EventChoice chosen={draft.value.events} error={problem('events')} onChoose={(events) => set({ events })} />
          <div class="url-fields">
            <div class="field">
              <span class="legend">Method</span>
              <Choice
                label="Method"
                value={draft.value.method}
                options={[
                  { value: 'GET', label: 'GET' },
                  { value: 'POST', label: 'POST' },
                ]}
                onChoose={(method) => set({ method })}
              />
            </div>
            <Field
              label="URL of the script"
              type="url"
              value={draft.value.url}
              placeholder="https://crm.example.com/hook"
              isMono
              error={problem('url')}
              onInput={(url) => set({ url })}
            />
          </div>
          <Field label="Note" value={draft.value.note} error={problem('note')} onInput={(note) => set({ note })} />
          <Check label="Active" checked={draft.value.enabled} onChange={(enabled) => set({ enabled })} />
          <RuleExtraFields draft={draft.value} rule={isEdit ? rule : undefined} set={set} problem={problem} />
          <p class="error" role="alert">
            {failure.value && describe(failure.value)}
          </p>
        </div>
        <footer>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit">
            {isEdit ? 'Save' : 'Add the rule'}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}

interface EventChoiceProps {
  readonly chosen: readonly EventName[];
  readonly error: string | undefined;
  readonly onChoose: (events: readonly EventName[]) => void;
}

function EventChoice({ chosen, error, onChoose }: EventChoiceProps) {
  return (
    <fieldset class="field">
      <legend class="legend">Events</legend>
      <div class="event-choice">
        {EVENT_NAMES.map((event) => (
          <Check
            key={event}
            label={
              <>
                {EVENTS[event].label} <span class="faint">{EVENTS[event].meaning}</span>
              </>
            }
            checked={chosen.includes(event)}
            onChange={(isOn) => onChoose(EVENT_NAMES.filter((name) => (name === event ? isOn : chosen.includes(name))))}
          />
        ))}
      </div>
      {error !== undefined && <p class="error">{error}</p>}
    </fieldset>
  );
}
