interface Active {
  value: object;
  readonly listener: (event: Event) => void;
}

/**
 * The `on…` attributes of an event target (HTML, "event handler IDL attributes"): a handler is called in the order of
 * listeners at the place where it was first set; another value takes that place over; `null` gives it up. Web IDL turns
 * what is no object into `null`; an object that can't be called is kept and does nothing.
 */
export class EventHandlers {
  readonly #target: EventTarget;
  readonly #active: Map<string, Active> = new Map();

  constructor(target: EventTarget) {
    this.#target = target;
  }

  get<Handler>(type: string): Handler | null {
    return (this.#active.get(type)?.value ?? null) as Handler | null;
  }

  set(type: string, value: unknown): void {
    const active = this.#active.get(type);
    const isObject = typeof value === 'function' || (typeof value === 'object' && value !== null);
    if (isObject && active !== undefined) active.value = value;
    else if (isObject) this.#activate(type, value);
    else if (active !== undefined) {
      this.#target.removeEventListener(type, active.listener);
      this.#active.delete(type);
    }
  }

  #activate(type: string, value: object): void {
    const active: Active = {
      value,
      listener: (event) => {
        const handler = active.value;
        if (typeof handler === 'function' && handler.call(this.#target, event) === false) event.preventDefault();
      },
    };
    this.#active.set(type, active);
    this.#target.addEventListener(type, active.listener);
  }
}
