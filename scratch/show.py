import sys,pickle
sys.path.insert(0,'/tmp/lab')
from pathlib import Path
from datagen.layouts.groups import groups
from datagen.layouts.labeller import weights,LABELS
from datagen.layouts.truth import answer
W=weights(Path(sys.argv[1])); x=pickle.load(open(sys.argv[2],'rb')); p,t=x['page'],x['truth']; a=answer(p,t); g=groups(p,W)
for k,y in enumerate(g):
    print(f'-- {k} {y.label}{y.level} p={y.label_score} one={y.is_one} whole={y.is_whole} ord={y.in_order}')
    for i in y.lines: l=p.lines[i]; print(f'   {a.region[i]:3d} {LABELS[a.label[i]] if a.region[i]>=0 else "?":10s} x{l.box[0]:.0f} y{l.box[1]:.0f} s{l.size:.1f} {l.text[:70]}')
