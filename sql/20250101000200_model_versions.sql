-- Which towers there are, which are in use, and what they look at. For the service role alone.

create table if not exists public.embedding_model_versions (
  id uuid primary key default gen_random_uuid(),
  version text not null check (version <> ''),
  model_type text not null check (model_type in ('user_tower', 'item_tower')),
  -- Where the tower lies in Storage.
  model_path text not null,
  is_active boolean not null default false,
  created_at timestamptz not null default now(),
  unique (version, model_type)
);

create unique index if not exists embedding_model_versions_one_active_idx
  on public.embedding_model_versions (model_type) where is_active;

-- Vectors of two versions never meet, so the two towers of a version are switched on and off together. Checked when the
-- transaction ends, because between its statements only one of them may be.
create or replace function public.check_active_towers() returns trigger
language plpgsql set search_path = '' as $$
declare
  active_towers integer;
  active_versions integer;
begin
  select count(*), count(distinct version) into active_towers, active_versions
  from public.embedding_model_versions where is_active;
  if active_towers not in (0, 2) or active_versions > 1 then
    raise exception using
      errcode = 'check_violation',
      message = 'Either both towers of one version are active or none is.',
      hint = 'Switch both rows of a version in one transaction.';
  end if;
  return null;
end
$$;
revoke all on function public.check_active_towers() from public, anon, authenticated;

do $$
begin
  if not exists (
    select from pg_catalog.pg_trigger
    where tgname = 'active_towers' and tgrelid = 'public.embedding_model_versions'::regclass
  ) then
    create constraint trigger active_towers
      after insert or update or delete on public.embedding_model_versions
      deferrable initially deferred
      for each row execute function public.check_active_towers();
  end if;
end
$$;

create table if not exists public.feature_importance (
  id uuid primary key default gen_random_uuid(),
  model_version_id uuid not null references public.embedding_model_versions (id) on delete cascade,
  feature_name text not null,
  importance_score double precision not null,
  unique (model_version_id, feature_name)
);

-- Row level security without a policy: nobody but the service role, which is exempt.
alter table public.embedding_model_versions enable row level security;
alter table public.feature_importance enable row level security;
revoke all on public.embedding_model_versions, public.feature_importance from anon, authenticated;
grant all on public.embedding_model_versions, public.feature_importance to service_role;
