import { useId } from 'preact/hooks';
import { Icon, type IconName } from './icon.tsx';
import './choice.css';

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly {
    readonly value: T;
    readonly label: string;
    readonly icon?: IconName;
    /** How many there are; left out if unknown. */
    readonly count?: number | undefined;
  }[];
  readonly onChoose: (value: T) => void;
}

/** One of a few, side by side: radio buttons to keyboards and screen readers. */
export function Choice<T extends string>({ label, value, options, onChoose }: ChoiceProps<T>) {
  const name = useId();
  return (
    <div class="choice" role="radiogroup" aria-label={label}>
      {options.map((option) => (
        <label key={option.value} title={option.icon && option.label}>
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            onChange={() => onChoose(option.value)}
          />
          <span>
            {option.icon ? (
              <>
                <Icon name={option.icon} />
                <span class="unseen">{option.label}</span>
              </>
            ) : (
              option.label
            )}
            {option.count !== undefined && <b class="number">{option.count.toLocaleString('en')}</b>}
          </span>
        </label>
      ))}
    </div>
  );
}
