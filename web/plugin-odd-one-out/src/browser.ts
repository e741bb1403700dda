/** For pages without a bundler: the global `jsPsychOddOneOut` is the plugin, with the preloader at its side. */

import OddOneOutPlugin, { Preloader } from "./index";

export default Object.assign(OddOneOutPlugin, { Preloader });
