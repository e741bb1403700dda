import "./browse.css";
import { Browser } from "./browser";
import { failed } from "./card";
import { folderName } from "./clips";
import { server } from "./server";

const root = document.querySelector<HTMLElement>("#browse") as HTMLElement;
server
  .map()
  .then((table) => {
    document.title = `${folderName(table)} · ${table.ids.length.toLocaleString("en")} clips`;
    new Browser(table, root);
  })
  .catch((error: Error) => root.append(failed(error)));
