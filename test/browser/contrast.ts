/*
 * Runs in a page: what of its text can hardly be read, by WCAG 2.2, success criterion 1.4.3. Text of controls that are
 * disabled is exempt there.
 */

type Colour = readonly [red: number, green: number, blue: number, alpha: number];

/** Each text that has too little contrast to what is behind it, as a line: text, ratio, colours. */
export function hardToRead(): string[] {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
  const known = new Map<string, Colour>();
  const parse = (css: string): Colour => {
    const before = known.get(css);
    if (before !== undefined) return before;
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = css;
    canvas.fillRect(0, 0, 1, 1);
    const [red = 0, green = 0, blue = 0, alpha = 0] = canvas.getImageData(0, 0, 1, 1).data;
    const colour: Colour = [red, green, blue, alpha / 255];
    known.set(css, colour);
    return colour;
  };
  const over = (top: Colour, below: Colour, share = top[3]): Colour => {
    const mix = (at: 0 | 1 | 2) => top[at] * share + below[at] * (1 - share);
    return [mix(0), mix(1), mix(2), 1];
  };
  /** What is painted where an element is: its own text's colour, or what is behind the text. */
  const painted = (path: readonly Element[], below: Colour, text?: string): Colour => {
    const [element, ...inner] = path;
    if (element === undefined) return text === undefined ? below : over(parse(text), below);
    const { backgroundColor, backgroundImage, opacity } = getComputedStyle(element);
    if (backgroundImage !== 'none') throw new Error(`a picture behind text: ${element.outerHTML}`);
    return over(painted(inner, over(parse(backgroundColor), below), text), below, Number(opacity));
  };
  const light = ([red, green, blue]: Colour): number => {
    const part = (value: number) => (value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue);
  };
  const ratio = (one: Colour, other: Colour): number => {
    const [dark = 0, bright = 0] = [light(one), light(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };

  const problems: string[] = [];
  const look = (element: Element, text: string, { color, fontSize, fontWeight }: CSSStyleDeclaration): void => {
    const path: Element[] = [];
    for (let at: Element | null = element; at !== null; at = at.parentElement) path.unshift(at);
    const white = parse(matchMedia('(prefers-color-scheme: dark)').matches ? '#121212' : '#fff');
    const [ink, paper] = [painted(path, white, color), painted(path, white)];
    const size = parseFloat(fontSize);
    const needed = size >= 24 || (size >= 18.66 && Number(fontWeight) >= 700) ? 3 : 4.5;
    const has = ratio(ink, paper);
    if (has < needed) problems.push(`${text.trim()}: ${has.toFixed(2)}, ${ink.join(' ')} on ${paper.join(' ')}`);
  };
  const lookAtText = (element: HTMLElement): void => {
    if (element.closest(':disabled') || !element.checkVisibility({ visibilityProperty: true })) return;
    // Out of sight, for screen readers.
    const { width, height } = element.getBoundingClientRect();
    if (width <= 1 || height <= 1) return;
    const style = getComputedStyle(element);
    const own = Array.from(element.childNodes).filter((node) => node.nodeType === Node.TEXT_NODE);
    const text = own.map((node) => node.textContent ?? '').join(' ');
    if (text.trim() !== '') look(element, text, style);
    if (!('placeholder' in element) || !('value' in element)) return;
    if (element.value !== '') look(element, String(element.value), style);
    else if (element.placeholder !== '')
      look(element, String(element.placeholder), getComputedStyle(element, '::placeholder'));
  };
  const all = Array.from(document.body.querySelectorAll<HTMLElement>('*'));
  for (const element of all) lookAtText(element);
  // Names have colours of their own: each of them.
  for (const element of all.filter(({ style }) => style.getPropertyValue('--hue') !== '')) {
    const hue = element.style.getPropertyValue('--hue');
    for (let degrees = 0; degrees < 360; degrees += 15) {
      element.style.setProperty('--hue', String(degrees));
      for (const named of [element, ...element.querySelectorAll<HTMLElement>('*')]) lookAtText(named);
    }
    element.style.setProperty('--hue', hue);
  }
  return [...new Set(problems)];
}
