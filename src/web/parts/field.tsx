import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import './field.css';

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly hint?: ComponentChildren;
  readonly error?: string | undefined;
  readonly type?: 'text' | 'password' | 'url' | 'search';
  readonly name?: string;
  readonly autocomplete?: string;
  readonly placeholder?: string;
  readonly isMono?: boolean;
  readonly isFirst?: boolean;
  readonly rows?: number;
}

/** A labelled line, or several, of text, with a hint and what is wrong with it. */
export function Field(props: FieldProps) {
  const { label, value, onInput, hint, error, type = 'text', isMono = false, isFirst = false, rows } = props;
  const id = useId();
  const hintId = hint === undefined ? undefined : `${id}-hint`;
  const describedBy = error === undefined ? hintId : `${id}-error`;
  // Preact's types tell the attributes of each type apart; what is used here all of them have.
  const kind: object = { type };
  const shared = {
    id,
    value,
    'name': props.name,
    'placeholder': props.placeholder,
    'class': isMono ? 'mono' : undefined,
    'spellcheck': false,
    'autofocus': isFirst,
    'aria-invalid': error !== undefined,
    'aria-describedby': describedBy,
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {rows === undefined ? (
        <input
          {...shared}
          {...kind}
          autocomplete={props.autocomplete ?? 'off'}
          onInput={({ currentTarget }) => onInput(currentTarget.value)}
        />
      ) : (
        <textarea {...shared} rows={rows} onInput={({ currentTarget }) => onInput(currentTarget.value)} />
      )}
      {error === undefined ? (
        hint && (
          <p class="hint" id={`${id}-hint`}>
            {hint}
          </p>
        )
      ) : (
        <p class="error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

interface SelectProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly label: string }[];
  readonly onChoose: (value: T) => void;
  /** The label is for screen readers only. */
  readonly isBare?: boolean;
}

export function Select<T extends string>({ label, value, options, onChoose, isBare = false }: SelectProps<T>) {
  const id = useId();
  return (
    <div class="field">
      <label for={id} class={isBare ? 'unseen' : undefined}>
        {label}
      </label>
      <select id={id} value={value} onChange={({ currentTarget }) => onChoose(currentTarget.value as T)}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  );
}

interface SearchProps {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
}

/** Looks for text; its label is the placeholder. */
export function Search({ label, value, onInput }: SearchProps) {
  return (
    <input
      class="search"
      type="search"
      aria-label={label}
      placeholder={label}
      value={value}
      spellcheck={false}
      onInput={({ currentTarget }) => onInput(currentTarget.value)}
    />
  );
}

interface CheckProps {
  readonly label: ComponentChildren;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}

export function Check({ label, checked, onChange }: CheckProps) {
  return (
    <label class="check">
      <input type="checkbox" checked={checked} onChange={({ currentTarget }) => onChange(currentTarget.checked)} />
      <span>{label}</span>
    </label>
  );
}
