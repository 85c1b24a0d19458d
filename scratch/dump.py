import sys
from pathlib import Path
from tests.bench.fine.page_tests import *
files={Path(i.uri).name:Path(i.uri) for i in DebianSamples().items()}
for a in sys.argv[1:]:
    name,n=a.rsplit(':',1); n=int(n)
    (p,)=[q for q in pages(files[name],range(n-1,n+2)) if q.origin.page==n]
    print('=====',a)
    for r in p.regions: print(f'[{r.label} {len(r.lines)} {tuple(r.box)} unread={r.is_unread}]',r.text[:160].replace('\n','⏎'))
