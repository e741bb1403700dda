import "jspsych-plugin-odd-one-out/odd-one-out.css";
import "./study.css";
import { arrival } from "./arrival";
import { Notice } from "./notice";
import { Pages } from "./pages";
import { Server } from "./server";
import { Study } from "./study";

const root = document.getElementById("study") as HTMLElement;
const server = new Server(new Notice(document.body));
const pages = new Pages(root);
await new Study(server, pages, arrival(window.location.search)).run();
