/** The page of a study without our server; see `bgs collect bundle`. */

import "jspsych-plugin-odd-one-out/odd-one-out.css";
import "./study.css";
import { arrival } from "./arrival";
import type { Backend } from "./backend";
import { JatosStudy } from "./bundled/jatos";
import { queryOf, readyJatos } from "./bundled/jatos-api";
import { DataPipe, Download } from "./bundled/saving";
import { StaticStudy } from "./bundled/static";
import type { BundledStudy } from "./bundled/study-file";
import { Notice } from "./notice";
import { Pages } from "./pages";
import { Study } from "./study";

const root = document.getElementById("study") as HTMLElement;
const pages = new Pages(root);
const waiting = new Notice(document.body);

function stop(text: string): void {
  pages.show("This study cannot be shown", text);
}

async function run(study: BundledStudy): Promise<void> {
  pages.contact = study.contact;
  let query = window.location.search;
  let backend: Backend;
  if (study.saving.kind === "jatos") {
    const jatos = await readyJatos();
    if (!jatos) return stop("It runs on a JATOS server only.");
    query = queryOf(jatos);
    backend = new JatosStudy(study, jatos, waiting);
  } else if (study.saving.kind === "datapipe") {
    const pipe = new DataPipe(study.saving, pages);
    backend = new StaticStudy(study, pipe, study.saving.conditions ? () => pipe.condition() : null);
  } else {
    backend = new StaticStudy(study, new Download(pages));
  }
  await new Study(backend, pages, arrival(query)).run();
}

async function studyFile(): Promise<BundledStudy | null> {
  try {
    const response = await fetch("study.json", { cache: "no-cache" });
    return response.ok ? ((await response.json()) as BundledStudy) : null;
  } catch {
    return null;
  }
}

if (!window.isSecureContext) stop("Its address must begin with https.");
else {
  const study = await studyFile();
  if (study) await run(study);
  else stop("Its description could not be loaded. Please load the page again.");
}
