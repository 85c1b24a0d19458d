import sys, random, pathlib, io, collections
from PIL import Image, ImageDraw
from datagen.markup.source import MarkupSource
from datagen.drawing.worn_pages import Wear
from datagen.record import Sample, Drop
from datagen.engines import OPEN
from datagen.reading.language import IdentifyLanguage
from datagen.samples.markup_documents import MarkupSamples
seed=2024; items=sorted(MarkupSamples().items(), key=lambda i:i.uri); rng=random.Random(seed); rng.shuffle(items)
by=collections.defaultdict(list)
for i in items: by[i.lang].append(i)
langs=sorted(by); rng.shuffle(langs)
out=pathlib.Path('/tmp/eye'); n=0
src=MarkupSource(seed=seed, max_pages=3, wear=Wear(0.5,0.4))
hy=[i for i in items if i.lang=='hy' or 'hye' in i.uri]
for item in [by[l][-1] for l in langs]:
    pages=[s for s in src.read(item) if isinstance(s,Sample) and s.task=='page' and s.metadata['worn']]
    if not pages: continue
    p=rng.choice(pages); (p,)=IdentifyLanguage()([p],OPEN)
    name=f'{n:02d}_{p.lang}_{p.script}'; im=Image.open(io.BytesIO(p.image)).convert('RGB'); im.save(out/f'{name}.png'); d=ImageDraw.Draw(im)
    with open(out/f'{name}.txt','w') as f:
        print('uri',p.origin.uri,'page',p.origin.page,'look',p.metadata['look'],'worn',p.metadata['worn'],'typing_errors',p.metadata['typing_errors'],file=f)
        print('=== REGIONS (order, label, box, text)',file=f)
        for k,r in enumerate(p.regions):
            col={'text':'blue','list':'green','sub_title':'red','title':'red','table':'magenta','equation':'orange','code':'brown','image':'cyan'}.get(r.label,'gray')
            d.rectangle(tuple(r.box),outline=col,width=2); d.text((r.box.x0,max(0,r.box.y0-12)),f'{k} {r.label}',fill=col)
            for l in r.lines: d.rectangle(tuple(l.box),outline=(200,200,0))
            print(f'[{k}] {r.label} {tuple(r.box)} lines={len(r.lines)} continues={r.continues}',file=f); print(r.text,file=f)
            for l in r.lines: print('    |',l.text,file=f)
        print('=== TEXT (label as Markdown)',file=f); print(p.text,file=f)
    im.save(out/f'{name}_boxes.png'); n+=1
    if n==16: break
