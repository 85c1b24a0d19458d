"""pages of unseen real PDFs, labelled; OUT dir name (rules|net)"""
import sys,random,pathlib,pickle,io
import pymupdf
from datagen.coarse.page import open_document, rendered
from datagen.fine.text_layer import annotated_layer
from datagen.engines import OPEN
from datagen.fine.verdict.mark_formulas import MarkFormulas
from datagen.fine.structure.running_heads import LabelRunning
from datagen.markdown import markdown
from datagen.record import Origin, Sample
from tests.inputs.samples import sample
from PIL import Image, ImageDraw
try:
    from datagen.fine.structure.document_structure import SettleStructure as Last
except ImportError:
    from datagen.fine.structure.level_headings import LevelHeadings as Last
name=sys.argv[1]; out=pathlib.Path('/tmp/ab2')/name; out.mkdir(parents=True,exist_ok=True)
rng=random.Random(99); files=sorted(pathlib.Path('/tmp/ab2/pdf').glob('*.pdf'))
n=0
for f in files:
    if n>=26: break
    try:
        with open_document(str(f)) as doc:
            c=len(doc); k=rng.randrange(c)
            made=[]
            for q in range(max(0,k-2),min(c,k+3)):
                view=rendered(doc,q,1600,5000.0); con=annotated_layer(view)
                made.append(sample(f"a-{q:06d}",size=view.size,regions=con.regions,text=markdown(con.regions),origin=Origin(str(f),"ab"*32,q)))
                if q==k: png=view.pixmap.tobytes('png') if hasattr(view,'pixmap') else doc[q].get_pixmap(matrix=pymupdf.Matrix(view.zoom,view.zoom)).tobytes('png')
                del view
    except Exception as e: print(f,repr(e)[:100]); continue
    for st in (MarkFormulas(),LabelRunning(),Last()): made=[p for p in st(made,OPEN) if isinstance(p,Sample)]
    p=next(p for p in made if p.origin.page==k)
    if not any(r.lines for r in p.regions): continue
    im=Image.open(io.BytesIO(png)).convert('RGB'); d=ImageDraw.Draw(im)
    tag=f'{n:02d}'
    with open(out/f'{tag}.txt','w') as o:
        print(f.name,k,file=o)
        for i,r in enumerate(p.regions):
            col={'text':'blue','list':'green','sub_title':'red','title':'red','table':'magenta','equation':'orange','code':'brown','image':'cyan','footnote':'purple','toc':'olive'}.get(r.label,'gray')
            d.rectangle(tuple(r.box),outline=col,width=2); d.text((r.box.x0+2,max(0,r.box.y0-11)),f'{i} {r.label}',fill='black')
            print(f'[{i}] {r.label} {tuple(r.box)} lines={len(r.lines)} unread={r.is_unread} continues={r.continues}: {r.text[:300]}',file=o)
    im.save(out/f'{tag}.png'); n+=1
print(n)
