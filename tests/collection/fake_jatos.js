// What the study uses of jatos.js, on a server with one study run: see bundle_hosts.py.
window.jatos = (() => {
  let batch = {};
  let version = 0;
  const post = async (path, data) => {
    const response = await fetch(path, { method: "POST", body: data });
    if (!response.ok) throw new Error(`POST to ${path} failed: ${response.status}`);
  };
  const change = async (patch) => {
    const body = JSON.stringify({ version, patch });
    const response = await fetch("batchSession", { method: "POST", body });
    const found = await response.json();
    if (found.batch) ({ batch, version } = found);
    if (!response.ok) throw new Error("Batch session update failed");
  };
  const jatos = {
    studyResultId: "12",
    workerId: "7",
    workerType: "GeneralSingle",
    studySessionData: {},
    urlQueryParameters: {},
    appendResultData: (data) => post("resultData", data),
    setStudySessionData: (data) => {
      jatos.studySessionData = data;
      return post("studySessionData", JSON.stringify(data));
    },
    batchSession: {
      get: (name) => structuredClone(batch[name]),
      add: (path, value) => change({ op: "add", path, value }),
      replace: (path, value) => change({ op: "replace", path, value }),
      remove: (path) => change({ op: "remove", path }),
    },
    endStudyWithoutRedirect: (successful, message) => fetch(`end?successful=${successful}&message=${message}`),
    endStudy: (successful, message) => {
      window.location.href = `end?successful=${successful}&message=${message}`;
    },
  };
  const loaded = fetch("initData")
    .then((response) => response.json())
    .then((found) => {
      ({ batch, version } = found);
      jatos.studySessionData = found.session;
      jatos.urlQueryParameters = found.query;
    });
  jatos.onLoad = (callback) => loaded.then(callback);
  return jatos;
})();
