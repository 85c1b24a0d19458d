"""label / exact regions / neighbour order of groups or rules' regions against truth."""
import numpy as np
from datagen.layouts.truth import answer
from datagen.layouts.labeller import LABELS
TXT={'text','list'}
def score(page,truth,gr):
    """gr: list of (line idx list, label) in order. returns counts"""
    a=answer(page,truth); n=len(page.lines); region=a.region[:n]; lab=a.label[:n]
    own=np.full(n,-1); pl=['']*n
    for g,(ls,l) in enumerate(gr):
        for i in ls: own[i]=g; pl[i]=l
    c={}
    known=region>=0
    c['label']=(sum(pl[i]==LABELS[lab[i]] for i in range(n) if known[i]),int(known.sum()))
    ok=tot=0; sets={}
    for g,(ls,l) in enumerate(gr): sets[g]=frozenset(i for i in ls)
    right=set(sets.values())
    pos={}
    for r in sorted(set(region[known])):
        s=frozenset(np.flatnonzero(region==r).tolist()); tot+=1; ok+= s in right
        v=[own[i] for i in s if own[i]>=0]; pos[r]=max(set(v),key=v.count) if v else None
    c['whole']=(ok,tot)
    body=[r for r in sorted(pos) if truth.regions[r].label not in('header','footer','page_number')]
    pairs=[(pos[x],pos[y]) for x,y in zip(body,body[1:]) if pos[x] is not None and pos[y] is not None and pos[x]!=pos[y]]
    c['order']=(sum(x<y for x,y in pairs),len(pairs))
    lv=[(x,y) for x,y in []]
    return c
def of_rules(page,rule):
    """rule: Sample (pixels); page Elements in points"""
    sx=page.size[0]/rule.size[0]; sy=page.size[1]/rule.size[1]; out=[]
    used=set()
    idx={}
    for i,l in enumerate(page.lines): idx.setdefault(l.text.strip()[:12],[]).append(i)
    for r in rule.regions:
        ls=[]
        for k in r.lines:
            cx=(k.box.x0+k.box.x1)/2*sx; cy=(k.box.y0+k.box.y1)/2*sy
            best=None;bd=1e9
            for i,l in enumerate(page.lines):
                if i in used: continue
                d=abs((l.box[0]+l.box[2])/2-cx)+abs((l.box[1]+l.box[3])/2-cy)
                if d<bd: bd=d;best=i
            if best is not None and bd<4: used.add(best); ls.append(best)
        out.append((ls,r.label))
    return out
def total(cs):
    t={}
    for c in cs:
        for k,(a,b) in c.items(): x=t.setdefault(k,[0,0]); x[0]+=a; x[1]+=b
    return {k:(round(a/max(1,b),4),b) for k,(a,b) in t.items()}
