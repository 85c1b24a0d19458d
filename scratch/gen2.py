import sys, random, pathlib, time
from datagen.markup.source import MarkupSource
from datagen.drawing.worn_pages import Wear
from datagen.record import Sample
from datagen.inputs.census import Listing
seed=int(sys.argv[1]); part=int(sys.argv[2]); parts=int(sys.argv[3]); src_dir=sys.argv[4]; maxp=int(sys.argv[5])
out=pathlib.Path(f'/tmp/lab/s{seed}'); (out/'json').mkdir(parents=True,exist_ok=True)
items=sorted(Listing(src_dir,("html",)).items(), key=lambda i:i.uri)[part::parts]
src=MarkupSource(seed=seed, wear=Wear(0,0), error_share=0.0, max_pages=maxp, pdfs=str(out/'pdf'))
t=time.time(); n=0; drops={}
for k,item in enumerate(items):
    try:
        for s in src.read(item):
            if isinstance(s,Sample):
                if s.task!='page': continue
                (out/'json'/f'{s.key}.json').write_bytes(s.to_json()); (out/'json'/f'{s.key}.jpg').write_bytes(s.image); n+=1
            else: drops[s.reason]=drops.get(s.reason,0)+1
    except Exception as e: print('fail',item.uri,repr(e)[:200],flush=True)
    if k%20==0: print(k,n,round(time.time()-t),drops,flush=True)
