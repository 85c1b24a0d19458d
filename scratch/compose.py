import sys,pathlib,random
from datagen.samples.texts import TextSamples
from datagen.samples.declarations import declaration
from datagen.layouts.composed import write
from urllib.parse import urlparse,unquote
from collections import defaultdict
items=[i for i in TextSamples().items()]
help_=[i for i in items if 'udhr' not in i.uri]; decl=[i for i in items if 'udhr' in i.uri]
from datagen.samples.markup_documents import _SCRIPTS
codes=set(_SCRIPTS)|set('ces dan nld fin fra deu_1996 ell_monotonic hun ita pol por_PT ron_2006 rus spa swe tur eng'.split())
decl=[i for i in decl if pathlib.Path(i.uri).stem in codes]
texts=[]
def load(i):
    p=pathlib.Path(unquote(urlparse(i.uri).path) if i.uri.startswith('file') else i.uri)
    return i.lang,[l for l in p.read_text(encoding='utf-8').split('\n') if len(l)>30]
for i in help_: texts += [load(i)]*4
for i in decl: texts.append(load(i))
texts=[(l,p) for l,p in texts if len(p)>20]
print(len(texts),[l for l,p in texts][:80])
base=pathlib.Path('/root/.cache/pagewheel/debian')
pics=[p for p in base.rglob('*') if p.suffix in('.png','.jpg') and 20_000<p.stat().st_size<400_000]
random.Random(0).shuffle(pics); print(len(pics))
out=pathlib.Path(sys.argv[1]); import shutil
(out/'pics').mkdir(parents=True,exist_ok=True); mine=[]
for n,p in enumerate(pics[:150]):
    d=out/'pics'/f'{n}{p.suffix}'; shutil.copy(p,d); mine.append('pics/'+d.name)
write(out,int(sys.argv[2]),texts,mine,int(sys.argv[3]))
