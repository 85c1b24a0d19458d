import random,glob,json,pathlib,collections
from PIL import Image,ImageDraw
from datagen.record import Sample
from datagen.reading.language import IdentifyLanguage
from datagen.engines import OPEN
out=pathlib.Path('/tmp/eye'); rng=random.Random(5)
by=collections.defaultdict(lambda: collections.defaultdict(list))
for f in sorted(glob.glob('/tmp/lab/s11/json/*.json')):
    d=json.load(open(f)); by[d['lang']][f.split('/')[-1].rsplit('-',1)[0]].append(f)
langs=sorted(by); rng.shuffle(langs); print(len(langs))
few=set('en de fr es it pt pt-BR nl nb sv da fi pl cs hu eu ca'.split())
picks=[]
for l in [l for l in langs if l not in few]+[l for l in langs if l in few]:
    doc=rng.choice(sorted(by[l])); picks.append(rng.choice(by[l][doc]))
for l in langs:
    if len(picks)>=44: break
picks=picks[:44]
for n,f in enumerate(picks):
    p=Sample.from_json(open(f,'rb').read()); (p,)=IdentifyLanguage()([p],OPEN)
    name=f'{n:02d}_{p.lang}_{p.script}'; im=Image.open(f.replace('.json','.jpg')).convert('RGB'); im.save(out/f'{name}.png'); d=ImageDraw.Draw(im)
    with open(out/f'{name}.txt','w') as o:
        print('uri',p.origin.uri,'page',p.origin.page,'look',p.metadata['look'],file=o); print('=== REGIONS (order, label, box, text)',file=o)
        for k,r in enumerate(p.regions):
            col={'text':'blue','list':'green','sub_title':'red','title':'red','table':'magenta','equation':'orange','code':'brown','image':'cyan'}.get(r.label,'gray')
            d.rectangle(tuple(r.box),outline=col,width=2); d.text((r.box.x0,max(0,r.box.y0-12)),f'{k} {r.label}',fill=col)
            for l in r.lines: d.rectangle(tuple(l.box),outline=(200,200,0))
            print(f'[{k}] {r.label} {tuple(r.box)} lines={len(r.lines)} continues={r.continues}',file=o); print(r.text,file=o)
            for l in r.lines: print('    |',l.text,file=o)
        print('=== TEXT (label as Markdown)',file=o); print(p.text,file=o)
    im.save(out/f'{name}_boxes.png')
