"""Elements + truth (+ rules' regions for held out) of pages; ROOT PART PARTS"""
import sys, pickle, pathlib, time, hashlib
from dataclasses import replace
from datagen.coarse.page import open_document, rendered
from datagen.coarse.text_layer import read_layer
from datagen.fine.page_layout import page_layout
from datagen.fine.page_pictures import pictures
from datagen.fine.line_looks import Looks
from datagen.layouts.elements import *
from datagen.record import Sample
sys.path.insert(0,'/tmp/lab')
def elements(view):
    layer=read_layer(view); layout=page_layout(view); looks=Looks(layer.spans,layout.drawings); r=view.page.rect
    lines=[LineElement(p.bbox,p.text,p.size,p.bold_share,float(p.mono_share or 0),looks.of(p),p.vertical,n) for n,b in enumerate(layer.blocks) for p in b]
    imgs=[b.box for b in layout.blocks if b.label=='image']
    texts=[l.box for l in lines if not any(shared(l.box,i)>0.5*area(l.box) for i in imgs)]
    pics=pictures(layout,texts,r)
    return Elements((r.width,r.height),lines,[SeenBlock(b.box,b.label) for b in layout.blocks],pics,layout.drawings,layer.rtl,True)
if __name__=='__main__':
    root=pathlib.Path(sys.argv[1]); out=root/'el'; out.mkdir(exist_ok=True); part,parts=int(sys.argv[2]),int(sys.argv[3]); t=time.time()
    for k,path in enumerate(sorted((root/'pdf').glob('*.pdf'))[part::parts]):
        dest=out/(path.stem+'.pkl'); j=root/'json'/(path.stem+'.json')
        if dest.exists() or not j.exists(): continue
        try:
            held=int(hashlib.md5(path.stem.rsplit('-',1)[0].encode()).hexdigest(),16)%8==0
            with open_document(str(path)) as doc:
                view=rendered(doc,0,1920,5000.0); e=elements(view); truth=Sample.from_json(j.read_bytes())
                rule=None; del view
            pickle.dump(dict(page=e,truth=truth,rule=rule,held=held),dest.open('wb'))
        except Exception as ex: print(path.name,repr(ex)[:200],flush=True)
        if k%50==0: print(k,round(time.time()-t),flush=True)
