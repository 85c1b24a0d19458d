import sys,pickle,glob,pathlib,time
from dataclasses import replace
from datagen.record import Sample
from datagen.page.images import pixels
from datagen.fine.ink_looks import sizes_and_weights
root=pathlib.Path(sys.argv[1]); out=root/'elink'; out.mkdir(exist_ok=True); t=time.time()
for k,f in enumerate(sorted((root/'elimg').glob('*.pkl'))):
    dest=out/f.name
    if dest.exists(): continue
    x=pickle.load(f.open('rb')); truth=x['truth']; j=root/'json'/(f.stem+'.jpg')
    lines=[l for r in truth.regions for l in r.lines if l.text.strip()]
    lines.sort(key=lambda l:(l.box.y0+l.box.y1,l.box.x0))
    assert len(lines)==len(x['page'].lines)
    g=pixels(j.read_bytes())[:,:,1]
    o=sizes_and_weights(lines,g,truth.lang)
    x['page']=replace(x['page'],lines=[replace(l,size=a,bold=b) for l,(a,b) in zip(x['page'].lines,o)])
    pickle.dump(x,dest.open('wb'))
    if k%50==0: print(k,round(time.time()-t),flush=True)
