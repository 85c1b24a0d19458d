import sys,glob,pickle,collections
sys.path.insert(0,'/tmp/lab')
from pathlib import Path
from datagen.layouts.groups import groups
from datagen.layouts.labeller import weights,LABELS
from datagen.layouts.truth import answer
from measure import *
W=weights(Path(sys.argv[1])); pat=sys.argv[2]; verbose=len(sys.argv)>3
conf=collections.Counter(); rconf=collections.Counter(); res=[];rres=[]; bad=[]; nr=[]
for f in sorted(glob.glob(pat)):
    x=pickle.load(open(f,'rb'))
    if not x['held'] or not x['page'].lines: continue
    p,t=x['page'],x['truth']; g=groups(p,W); a=answer(p,t)
    s=score(p,t,[(y.lines,y.label) for y in g]); res.append(s)
    pl={}
    for y in g:
        for i in y.lines: pl[i]=y.label
    for i in range(len(p.lines)):
        if a.region[i]>=0 and pl.get(i)!=LABELS[a.label[i]]: conf[(LABELS[a.label[i]],pl.get(i))]+=1
    bad.append((s['label'][0]/max(1,s['label'][1]),s['whole'][0]/max(1,s['whole'][1]),f.split('/')[-1],t.lang,dict(t.metadata).get('look') if isinstance(t.metadata,dict) else '', t.origin.uri[-50:]))
    if x.get('rule') is not None:
        nr.append(s); r=of_rules(p,x['rule']); rres.append(score(p,t,r))
        pl={i:l for ls,l in r for i in ls}
        for i in range(len(p.lines)):
            if a.region[i]>=0 and pl.get(i)!=LABELS[a.label[i]]: rconf[(LABELS[a.label[i]],pl.get(i))]+=1
print(total(res)); 
if rres: print('same pages: net',total(nr),'rules',total(rres))
print(conf.most_common(16)); print('rules',rconf.most_common(12))
if verbose:
    for b in sorted(bad)[:25]: print(b)
