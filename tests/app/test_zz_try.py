import time
from tests.app.test_canaries import *
from tests.app.conftest import *
def test_walk(canaries, read_as_role, monkeypatch):
    read_as_role("pcn_lead", "QA1", A1.code)
    offers=Offers(monkeypatch)
    t=time.time(); seen=walk(offers, icb="QA1"); t1=time.time()-t
    print("TIME", t1, len(seen.pages), len(seen.files))
    bad={}
    for key,text in [*seen.pages.items(), *seen.files.items()]:
        f={m for m in marks(text) if m[0] not in (A.word, A1.word)}
        if f: bad.setdefault(tuple(sorted(f)),[]).append(key)
    for f,keys in sorted(bad.items(), key=lambda x:-len(x[1])): print(len(keys), f, keys[:3])
    own={m for m in marks(seen.text) if m[0] in (A.word, A1.word)}
    print(sorted(own))
