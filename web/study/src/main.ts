import "jspsych-plugin-odd-one-out/odd-one-out.css";
import "./study.css";
import { arrival } from "./arrival";
import { Notice } from "./notice";
import { Pages } from "./pages";
import { Server } from "./server";
import { Study } from "./study";

const root = document.getElementById("study") as HTMLElement;
const notice = new Notice(document.body);
const server = new Server({
  onLost: () => notice.say("The connection is lost. Your answers are kept; trying again …"),
  onFound: () => notice.say(""),
});
const pages = new Pages(root);
await new Study(server, pages, arrival(window.location.search)).run();
