"""page tests per failure"""
import sys,json,tempfile,collections
from pathlib import Path
from tests.bench.fine.page_tests import *
import tests.bench.fine.page_tests as T
rows=collections.Counter();tot=collections.Counter()
def count(name,page,tests):
    for kind,asked in tests.items():
        for one in asked:
            ok=passes(page,kind,one); tot[kind]+=1; rows[kind]+=ok
            if not ok: print('FAIL',name,kind,str(one)[:150])
with tempfile.TemporaryDirectory() as folder:
    for path,number,tests in typeset(Path(folder)): count(path.name,pages(path,(0,1,2))[number],tests)
files={Path(i.uri).name:Path(i.uri) for i in DebianSamples().items()}
for line in LISTED.read_text().splitlines():
    t=json.loads(line); name,number=t.pop('document'),t.pop('page'); around=pages(files[name],range(number-1,number+2)); count(f'{name}:{number}',next(p for p in around if p.origin.page==number),t)
for k in tot: print(k,rows[k],tot[k])
print(rows.total(),tot.total())
