"""as extract2, of images: truth's lines, the image's layout engines. ROOT PART PARTS"""
import sys, pickle, pathlib, time, hashlib, io
from datagen.engines import OPEN, Choice
from datagen.layouts.elements import *
from datagen.page.images import pixels
from datagen.page.long_rules import long_rules
from datagen.writing import scripts
from datagen.record import Sample, Line
root=pathlib.Path(sys.argv[1]); out=root/'elimg'; out.mkdir(exist_ok=True); part,parts=int(sys.argv[2]),int(sys.argv[3]); t=time.time()
L=Choice("pymupdf-layout").opened(OPEN); E=Choice("cdla",(("classes",("equation",)),)).opened(OPEN)
for k,j in enumerate(sorted((root/'json').glob('*.json'))[part::parts]):
    dest=out/(j.stem+'.pkl')
    if dest.exists(): continue
    try:
        held=int(hashlib.md5(j.stem.rsplit('-',1)[0].encode()).hexdigest(),16)%8==0
        truth=Sample.from_json(j.read_bytes()); im=pixels(j.with_suffix('.jpg').read_bytes())
        lines=[l for r in truth.regions for l in r.lines if l.text.strip()]
        lines.sort(key=lambda l:(l.box.y0+l.box.y1,l.box.x0))
        blocks=[*L.regions([im],[lines])[0]]; eq=E.regions([im],[lines])[0]
        pics=distinct_pictures([r.box for r in blocks if r.label=='image'],truth.size)
        le=[LineElement(tuple(l.box),l.text,0.8*((l.box.x1-l.box.x0) if l.direction=='ttb' else (l.box.y1-l.box.y0)),vertical=l.direction=='ttb') for l in lines]
        e=Elements(truth.size,le,[SeenBlock(tuple(r.box),r.label) for r in [*blocks,*eq]],pics,[tuple(map(float,b)) for b in long_rules(im)],truth.script in scripts.RTL,False)
        pickle.dump(dict(page=e,truth=truth,rule=None,held=held),dest.open('wb'))
    except Exception as ex: print(j.name,repr(ex)[:200],flush=True)
    if k%50==0: print(k,round(time.time()-t),flush=True)
