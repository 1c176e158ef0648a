import { startWebKit } from './engines/webkit.ts';
import { transportStories } from './transport-stories.ts';

transportStories(startWebKit, { keepsPages: true, blocked: /^SecurityError: /, saysInsecure: false });
